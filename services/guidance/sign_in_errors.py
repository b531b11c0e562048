"""Advice for each sign-in to iManage that did not finish, and for each reason to sign in again."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, SYSTEM_ADMIN, Advice

_START_AGAIN = "Start again from the page where you needed iManage. Your work is kept."
_SIGN_IN_AGAIN = "Sign in again. Your work is kept."

SIGN_IN_ADVICE: dict[str, Advice] = {
    "oauth.no_state": Advice(
        "iManage’s answer does not say which sign-in it belongs to, so it was not used.",
        _START_AGAIN,
        title="This sign-in was not started here",
    ),
    "oauth.unknown_state": Advice(
        "iManage’s answer does not belong to a sign-in that was started here. It may be too old, or the server may "
        "have been removed.",
        _START_AGAIN,
        title="We do not recognise this sign-in",
    ),
    "oauth.other_member": Advice(
        "Another person started this sign-in, so it was not used for your account.",
        "Start again from your Account page. If you came here by a link that someone sent you, tell your System "
        "Admin.",
        title="This sign-in belongs to someone else",
    ),
    "oauth.other_session": Advice(
        "You started this sign-in in another browser, or before you last signed in to Counterpart, so it was not used.",
        _START_AGAIN,
        title="This sign-in was started in another browser",
    ),
    "oauth.signed_out": Advice(
        "You were signed out of Counterpart while you were signing in to iManage, so the sign-in was not used.",
        "Sign in to Counterpart, then start again from the page where you needed iManage.",
        title="You are signed out of Counterpart",
    ),
    "oauth.used": Advice(
        "Each answer from iManage can be used once. This one arrived a second time, perhaps from the Back button.",
        "Go back to your work. If you are not signed in to iManage there, start again.",
        title="This sign-in has already been used",
    ),
    "oauth.expired": Advice(
        "You have ten minutes to finish signing in to iManage.",
        _SIGN_IN_AGAIN,
        title="This sign-in took too long",
    ),
    "oauth.not_available": Advice(
        "You can no longer use the iManage server that you were signing in to.",
        "Ask your System Admin if you need it.",
        SYSTEM_ADMIN,
        title="This server is not available to you",
    ),
    "oauth.server_off": Advice(
        "{label} was switched off while you were signing in, so the sign-in was not used.",
        "Ask your System Admin when it will be on again.",
        SYSTEM_ADMIN,
        title="This server has been switched off",
    ),
    "oauth.server_edited": Advice(
        "A System Admin changed {label} while you were signing in, so the sign-in was not used.",
        _SIGN_IN_AGAIN,
        title="This server has changed",
    ),
    "oauth.other_server": Advice(
        "You were signing in to {label}, but another server answered. Nothing was sent to either.",
        "Tell your System Admin. The server’s URL may lead to another system.",
        SYSTEM_ADMIN,
        title="Another server answered",
    ),
    "oauth.denied": Advice(
        "{label} says that access was denied. Counterpart can do nothing there until you allow it.",
        "Sign in again and choose Allow. If you are not asked, ask your iManage admin whether you may use this "
        "application.",
        title="You did not allow access",
    ),
    "oauth.error": Advice(
        "{label} answered with an error.",
        "Try again. If it happens again, ask your iManage admin to check the application’s registration.",
        IMANAGE_ADMIN,
        title="iManage could not sign you in",
    ),
    "oauth.no_code": Advice(
        "The answer from {label} contains neither a sign-in nor an error.",
        "Try again. If it happens again, tell your System Admin.",
        SYSTEM_ADMIN,
        title="iManage’s answer was incomplete",
    ),
    "oauth.code_refused": Advice(
        "{label} did not accept the sign-in code that it had just issued. A code is valid for about a minute.",
        _SIGN_IN_AGAIN,
        title="The sign-in code was not accepted",
    ),
    "oauth.client_refused": Advice(
        "{label} did not accept Counterpart’s Client ID or Client Secret.",
        "Ask your System Admin to check them on the server’s page.",
        SYSTEM_ADMIN,
        title="iManage does not accept this application",
    ),
    "oauth.api_refused": Advice(
        "{label} signed you in, but its API did not accept the sign-in.",
        "Ask your iManage admin whether this application and your account are allowed to use the API.",
        IMANAGE_ADMIN,
        title="iManage’s API did not accept the sign-in",
    ),
    "imanage.never_connected": Advice(
        "You have not signed in to {label} yet.", "Sign in to iManage to continue."
    ),
    "imanage.refused": Advice("{label} no longer accepts your sign-in.", "Sign in to iManage to continue."),
    "imanage.could_not_refresh": Advice(
        "Your sign-in to {label} has expired and could not be renewed.", "Sign in to iManage to continue."
    ),
    "imanage.registered_anew": Advice(
        "Counterpart has a new Client ID in {label}, so earlier sign-ins have ended.",
        "Sign in to iManage to continue.",
    ),
}
ENDED = {
    "refused": "iManage no longer accepts the sign-in.",
    "could_not_refresh": "The sign-in has expired and could not be renewed.",
    "registered_anew": "The server has a new Client ID, so earlier sign-ins have ended.",
}
"""Why a sign-in has ended, for System Admins."""
