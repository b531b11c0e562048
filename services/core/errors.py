"""Refusals of the services, with the words that people read. Independent of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Owner = Literal[
    "you", "a lead of the matter", "your System Admin", "your iManage admin", "your network team", "nobody"
]


def owner_label(owner: str) -> str:
    """The owner of a next step at the beginning of a line, such as "Your network team"."""
    return owner[:1].upper() + owner[1:]


class RefusedError(Exception):
    """The base: a stable code, a sentence, the next step and who needs to act (`owner`).

    `services.guidance.refusals` has the words of each code; the codes of these classes are categories without words.
    """

    code = "refused"
    title = "That was not possible"

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        next_step: str = "",
        owner: Owner = "you",
        title: str = "",
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).code
        self.next_step = next_step
        self.owner = owner
        self.title = title or type(self).title

    @property
    def text(self) -> str:
        """The sentence and the next step."""
        return f"{self.sentence} {self.next_step}".strip()


class NotFoundError(RefusedError):
    """It does not exist, or this person may not know of it: the two must look the same."""

    code = "not_found"
    title = "Page not found"

    def __init__(self, sentence: str = "We could not find what you asked for.", **more: Any) -> None:
        super().__init__(
            sentence, **{"next_step": "It may have been moved or removed. Check the address."} | more
        )


class ForbiddenError(RefusedError):
    """The person may know of it, but may not do this to it. blueprints/errors.py audits every one."""

    code = "forbidden"
    title = "You cannot do this"


class ConflictError(RefusedError):
    """Something changed first, or the current state does not allow it."""

    code = "conflict"
    title = "This has changed"


class InvalidError(RefusedError):
    """Input that failed a rule of the service; `fields` maps each field to its sentence."""

    code = "invalid"
    title = "Check what you entered"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


class TooManyError(RefusedError):
    """A rate limit was reached."""

    code = "too_many"
    title = "Too many attempts"


class SignInNeededError(RefusedError):
    """The member has no valid sign-in to this iManage server; `reason` says why."""

    title = "Sign in to iManage"

    def __init__(self, sentence: str, *, server_id: object, reason: str) -> None:
        super().__init__(sentence, code=f"imanage.{reason}", next_step="Sign in to iManage to continue.")
        self.server_id = server_id
        self.reason = reason


class RemoteRefusedError(RefusedError):
    """iManage refused or failed; the sentence, next step and owner come from the client's error.

    `ours` is our own sentence, without the words of iManage that follow it.
    """

    title = "iManage did not answer as expected"

    def __init__(self, sentence: str, *, its_words: str = "", **more: Any) -> None:
        super().__init__(f"{sentence} {its_words}".strip(), **more)
        self.ours = sentence
