"""The error for a sign-in to iManage that did not finish; its sentences are in services.guidance."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.errors import RefusedError, RemoteRefusedError, owner_label
from services.guidance.refusals import worded
from services.guidance.topics import Topic, topic_for

REMOTE_TITLE = "iManage gave an unexpected answer"


@dataclass(frozen=True)
class Attempt:
    """What is known of the sign-in. `server_id` is set where trying again can help."""

    label: str = "iManage"
    server_id: uuid.UUID | None = None
    return_to: str = ""


UNKNOWN = Attempt()


class SignInUnfinishedError(RefusedError):
    attempt = UNKNOWN

    @property
    def owner_label(self) -> str:
        return owner_label(self.owner)

    @property
    def topic(self) -> Topic | None:
        """The Troubleshooting page about it."""
        return topic_for(self.code)


def unfinished(code: str, attempt: Attempt = UNKNOWN, its_words: str = "") -> SignInUnfinishedError:
    """`its_words` is what iManage said, quoted."""
    words = worded(code, label=attempt.label)
    words["sentence"] = f"{words['sentence']} {its_words}".strip()
    error = SignInUnfinishedError(**words)
    error.attempt = attempt
    return error


def refused_remotely(remote: RemoteRefusedError, attempt: Attempt) -> SignInUnfinishedError:
    """The error for what the iManage client met."""
    error = SignInUnfinishedError(
        remote.sentence, code=remote.code, next_step=remote.next_step, owner=remote.owner, title=REMOTE_TITLE
    )
    error.attempt = attempt
    return error
