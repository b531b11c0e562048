"""Refusals of the services, with the words that people read. Independent of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Owner = Literal[
    "you", "a lead of the matter", "your System Admin", "your iManage admin", "your network team", "nobody"
]


def owner_label(owner: str) -> str:
    """The owner of a next step at the beginning of a line, such as "Your network team"."""
    return owner[:1].upper() + owner[1:]


class RefusedError(Exception):
    """The base: a stable code, a sentence, the next step and who needs to act (`owner`)."""

    code = "refused"
    title = "That was not possible"

    def __init__(
        self, sentence: str, *, code: str | None = None, next_step: str = "", owner: Owner = "you"
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).code
        self.next_step = next_step
        self.owner = owner


class NotFoundError(RefusedError):
    """It does not exist, or this person may not know of it: the two must look the same."""

    code = "not_found"
    title = "Page not found"

    def __init__(self, sentence: str = "We could not find what you asked for.", **more: str) -> None:
        super().__init__(
            sentence,
            code=more.get("code"),
            next_step=more.get("next_step", "It may have been moved or removed. Check the address."),
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

    code = "imanage.sign_in"
    title = "Sign in to iManage"

    def __init__(self, sentence: str, *, server_id: object, reason: str) -> None:
        super().__init__(sentence, code=f"imanage.{reason}", next_step="Sign in to iManage to continue.")
        self.server_id = server_id
        self.reason = reason


class RemoteRefusedError(RefusedError):
    """iManage refused or failed; the sentence, next step and owner come from the client's error.

    `ours` is our own sentence, without the words of iManage that follow it.
    """

    code = "imanage.failed"
    title = "iManage did not answer as expected"

    def __init__(
        self, ours: str, *, code: str, next_step: str = "", owner: Owner = "you", its_words: str = ""
    ) -> None:
        super().__init__(f"{ours} {its_words}".strip(), code=code, next_step=next_step, owner=owner)
        self.ours = ours
