"""The error for a sign-in to iManage that did not finish; its sentences are in services.guidance."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.errors import RefusedError, RemoteRefusedError, owner_label
from services.guidance.sign_in_errors import SIGN_IN_ADVICE
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
    code = "oauth.failed"
    attempt = UNKNOWN

    @property
    def owner_label(self) -> str:
        return owner_label(self.owner)

    @property
    def topic(self) -> Topic | None:
        """The Troubleshooting page about it."""
        return topic_for(self.code)


def unfinished(
    code: str, attempt: Attempt = UNKNOWN, *, refusal: RemoteRefusedError | None = None
) -> SignInUnfinishedError:
    """The error of this code, or of a `refusal` that the iManage client met."""
    if refusal is not None:
        error = SignInUnfinishedError(
            refusal.sentence, code=refusal.code, next_step=refusal.next_step, owner=refusal.owner
        )
        error.title = REMOTE_TITLE
    else:
        advice = SIGN_IN_ADVICE[code]
        sentence = advice.sentence.format(label=attempt.label)
        error = SignInUnfinishedError(sentence, code=code, next_step=advice.next_step, owner=advice.owner)
        error.title = advice.title
    error.attempt = attempt
    return error
