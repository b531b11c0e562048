"""Why a sign-in to iManage did not finish: each cause with its page, its next step and whose step it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.errors import Owner, RefusedError, RemoteRefusedError
from services.guidance.topics import Topic, topic_for


@dataclass(frozen=True)
class Attempt:
    """The sign-in as far as it is known. `server_id` is set where trying again there can help."""

    label: str = "iManage"
    server_id: uuid.UUID | None = None
    return_to: str = ""


UNKNOWN = Attempt()


class SignInUnfinishedError(RefusedError):
    """An answer of iManage that made no sign-in."""

    code = "oauth.failed"
    attempt = UNKNOWN

    @property
    def topic(self) -> Topic | None:
        """The page that tells what may lie behind it."""
        return topic_for(self.code)


@dataclass(frozen=True)
class Cause:
    title: str
    sentence: str
    next_step: str
    owner: Owner = "you"


BEGIN_AGAIN = "Begin again from the page where you needed iManage. Your work there is kept."
TRY_AGAIN = "Sign in again. Your work is kept."

CAUSES: dict[str, Cause] = {
    "oauth.no_state": Cause(
        "This sign-in was not begun here",
        "The answer from iManage does not say which sign-in it belongs to, so it was not used.",
        BEGIN_AGAIN,
    ),
    "oauth.unknown_state": Cause(
        "We do not know this sign-in",
        "The answer from iManage belongs to no sign-in that was begun here. It may be long ago, "
        "or the server may have been removed in between.",
        BEGIN_AGAIN,
    ),
    "oauth.other_member": Cause(
        "This sign-in belongs to somebody else",
        "It was begun by another person, so it was not used for your account.",
        "If you did not follow a link that somebody sent you, tell your System Admin.",
    ),
    "oauth.other_session": Cause(
        "This sign-in was begun in another browser",
        "It was begun before you last signed in to Counterpart, or in another browser, so it was not used.",
        BEGIN_AGAIN,
    ),
    "oauth.signed_out": Cause(
        "You were signed out of Counterpart",
        "Your Counterpart session ended while you were at iManage, so the answer was not used.",
        "Sign in to Counterpart, then begin again from the page where you needed iManage.",
    ),
    "oauth.used": Cause(
        "This sign-in was used already",
        "Each answer from iManage counts once. This one came a second time, perhaps by the Back button.",
        "Go back to your work. If you are not signed in to iManage there, begin again.",
    ),
    "oauth.expired": Cause(
        "This sign-in took too long",
        "A sign-in to iManage has to be finished within ten minutes.",
        TRY_AGAIN,
    ),
    "oauth.not_available": Cause(
        "This server is not available to you",
        "The iManage server that you were signing in to is not available to you now.",
        "Ask your System Admin if you need it.",
        "your System Admin",
    ),
    "oauth.server_off": Cause(
        "This server was switched off",
        "{label} was switched off while you were signing in, so the sign-in was not used.",
        "Ask your System Admin when it will be on again.",
        "your System Admin",
    ),
    "oauth.server_edited": Cause(
        "This server was changed",
        "A System Admin changed {label} while you were signing in, so the sign-in was not used.",
        TRY_AGAIN,
    ),
    "oauth.other_server": Cause(
        "The answer came from another server",
        "You were signing in to {label}, and another server answered. Nothing was sent to either.",
        "Tell your System Admin: the server's URL may lead to another system.",
        "your System Admin",
    ),
    "oauth.denied": Cause(
        "You did not allow the sign-in",
        "{label} says that access was denied. Counterpart can do nothing there until you allow it.",
        "Sign in again and choose Allow. If you were not asked, ask the iManage admin whether you may use "
        "this application.",
    ),
    "oauth.error": Cause(
        "iManage could not sign you in",
        "{label} answered with an error instead of a sign-in.",
        "Try again. If it happens again, ask the iManage admin to check the application's registration.",
        "your iManage admin",
    ),
    "oauth.no_code": Cause(
        "iManage sent half an answer",
        "The answer from {label} holds neither a sign-in nor an error.",
        "Try again. If it happens again, tell your System Admin.",
        "your System Admin",
    ),
    "oauth.code_refused": Cause(
        "iManage took its answer back",
        "{label} did not accept the code that it had just given us. Codes are good for about a minute.",
        TRY_AGAIN,
    ),
    "oauth.client_refused": Cause(
        "iManage does not accept this application",
        "{label} did not accept this installation's Client ID or Client Secret.",
        "Ask your System Admin to check them on the server's page.",
        "your System Admin",
    ),
    "oauth.api_refused": Cause(
        "iManage signed you in, but its API did not",
        "{label} gave a sign-in, and then its API did not accept it.",
        "Ask the iManage admin whether this application and your account may use the API.",
        "your iManage admin",
    ),
}
REMOTE_TITLE = "iManage did not answer as it should"


def unfinished(
    code: str, attempt: Attempt = UNKNOWN, *, said: RemoteRefusedError | None = None
) -> SignInUnfinishedError:
    """The failure of that code; `said` is what the iManage client met, where it was that."""
    if said is not None:
        failure = SignInUnfinishedError(
            said.sentence, code=said.code, next_step=said.next_step, owner=said.owner
        )
        failure.title = REMOTE_TITLE
    else:
        cause = CAUSES[code]
        sentence = cause.sentence.format(label=attempt.label)
        failure = SignInUnfinishedError(sentence, code=code, next_step=cause.next_step, owner=cause.owner)
        failure.title = cause.title
    failure.attempt = attempt
    return failure
