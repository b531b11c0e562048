"""Advice for each failed check of Counterpart's registration in iManage and of members' sign-ins."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, NETWORK_TEAM, Advice

_REDIRECT = "Copy the redirect URL from the server’s page into the application in iManage Control Center."
_EXACT = "iManage compares redirect URLs character by character."
_CLIENT = "Compare it, character by character, with the API Key of the application in iManage Control Center."
_REGISTRATION = (
    "In iManage Control Center, check that the application is on and has this Client ID and redirect URL."
)
_REFUSED = "The Client ID is not registered there, the redirect URL is different, or the application is off."

APPLICATION_ADVICE: dict[str, Advice] = {
    # Application
    "sign_in_page.missing": Advice(
        "iManage’s sign-in page is not at this address.",
        "Ask which host people use to sign in to iManage, and whether /auth is published there.",
        IMANAGE_ADMIN,
        cause="The API answers here, but the sign-in (/auth/oauth2/authorize) is blocked or on another host.",
    ),
    "sign_in_page.content_blocked": Advice(
        "iManage’s sign-in page says “Content is blocked”.",
        "Ask whether the application is switched on, and open to the people who need it.",
        IMANAGE_ADMIN,
        cause="iManage, or a security product in front of it, does not allow this application to show its sign-in.",
    ),
    "sign_in_page.something_went_wrong": Advice(
        "iManage’s sign-in page says “Something went wrong”, without a reason.",
        _REGISTRATION,
        IMANAGE_ADMIN,
        cause=_REFUSED,
    ),
    "sign_in_page.refused": Advice(
        "iManage’s sign-in page refuses to start, without a reason.",
        _REGISTRATION,
        IMANAGE_ADMIN,
        cause=_REFUSED,
    ),
    "client.missing": Advice(
        "There is no Client ID and Client Secret yet.",
        "Register the application in iManage, then enter both under Replace credentials.",
        cause="Nobody can sign in without them.",
    ),
    "client.secret_lost": Advice(
        "The stored Client Secret cannot be decrypted.",
        "Enter the Client Secret again under Replace credentials.",
        cause="It was encrypted with a key that this installation no longer has.",
    ),
    "client.unknown": Advice(
        "iManage does not know this Client ID.",
        _CLIENT,
        cause="The application is not registered there, is switched off, or the Client ID was mistyped.",
    ),
    "client.not_uploaded": Advice(
        "iManage does not know this Client ID yet.",
        "In iManage Control Center, go to Settings > Applications > Add Application > Upload package and continue to "
        "Finish. Then check again.",
        IMANAGE_ADMIN,
        cause="The Client ID comes from an application package. The package has not been uploaded to iManage, or the "
        "application is switched off.",
    ),
    "client.refused": Advice(
        "iManage knows the application but refuses the sign-in.",
        "Ask for the application’s type to be Web, with iManage Work Authentication on.",
        IMANAGE_ADMIN,
        cause="The application is probably not set up for this kind of sign-in. iManage’s message is shown below.",
    ),
    "client.inconclusive": Advice(
        "The check cannot tell whether iManage knows the Client ID.",
        "Sign in yourself on your Account page. If iManage shows an error, compare the Client ID.",
        cause="This server gives the same answer to an unregistered Client ID. It only checks after the sign-in.",
    ),
    "redirect.letter_case": Advice(
        "Mismatch redirect URL: the letter case is different.", _REDIRECT, IMANAGE_ADMIN, cause=_EXACT
    ),
    "redirect.scheme": Advice(
        "Mismatch redirect URL: one starts with http://, the other with https://.",
        f"{_REDIRECT} If Counterpart’s is wrong, correct COUNTERPART_PUBLIC_URL.",
        IMANAGE_ADMIN,
        cause=_EXACT,
    ),
    "redirect.trailing_slash": Advice(
        "Mismatch redirect URL: the one in iManage ends with a slash.", _REDIRECT, IMANAGE_ADMIN, cause=_EXACT
    ),
    "redirect.spaces": Advice(
        "Mismatch redirect URL: the one in iManage has a space before or after it.",
        _REDIRECT,
        IMANAGE_ADMIN,
        cause="A space was copied with the URL. It cannot be seen in the form.",
    ),
    "redirect.host": Advice(
        "Mismatch redirect URL: the host is different.",
        f"{_REDIRECT} If Counterpart’s is wrong, correct COUNTERPART_PUBLIC_URL or COUNTERPART_API_URL.",
        IMANAGE_ADMIN,
        cause="iManage has another host name or port for Counterpart.",
    ),
    "redirect.path": Advice(
        "Mismatch redirect URL: the path after the host is different.",
        _REDIRECT,
        IMANAGE_ADMIN,
        cause="Part of the redirect URL was left out or changed when it was entered.",
    ),
    "redirect.mismatch": Advice(
        "Mismatch redirect URL: iManage has a different one for this application.",
        _REDIRECT,
        IMANAGE_ADMIN,
        cause="The host, the path or both are different, not only letter case, http or https, a slash or a space.",
    ),
    "redirect.inconclusive": Advice(
        "The check cannot tell whether iManage accepts the redirect URL.",
        "Sign in yourself on your Account page. If iManage shows “Mismatch redirect URL”, compare the two URLs.",
        cause="This server gives the same answer to an unregistered redirect URL. It only checks after the sign-in.",
    ),
    "token.not_imanage": Advice(
        "Something other than iManage answers at /auth/oauth2/token.",
        "Ask for /auth/oauth2/token to be passed through unchanged.",
        NETWORK_TEAM,
        cause="A proxy blocks this address, or the sign-in is on another host.",
    ),
    "secret.wrong": Advice(
        "iManage does not accept the Client Secret.",
        "Enter the current Client Secret under Replace credentials. Your iManage admin has it or can create a new one.",
        cause="It was mistyped, or has been renewed or has expired in iManage.",
    ),
    "secret.out_of_step": Advice(
        "iManage does not accept this Client ID and Client Secret together.",
        "Copy both from the same application in iManage Control Center, and enter them under Replace credentials.",
        cause="One of them belongs to another application or to an earlier registration, has expired, or was mistyped. "
        "This server does not tell which.",
    ),
    "token.unreadable": Advice(
        "iManage’s answer to an invalid sign-in code is a page or an internal error, so the Client Secret was not "
        "checked.",
        "Sign in yourself on your Account page. If that works, nothing needs to be done.",
        cause="Some servers answer like this to an invalid code and serve real sign-ins nevertheless.",
    ),
    "secret.inconclusive": Advice(
        "The check cannot tell whether the Client Secret is right.",
        "Sign in yourself on your Account page. If that ends with an error, enter the Client Secret again.",
        cause="This server gives the same answer to a wrong secret. It only checks after the sign-in.",
    ),
    # Sign-ins
    "header.swallowed": Advice(
        "The header that carries the sign-in does not reach iManage.",
        "Ask for the header below to be passed through to this host.",
        NETWORK_TEAM,
        cause="A proxy or firewall removes headers that it does not know. iManage accepts the same sign-in in another "
        "header.",
    ),
    "header.inconclusive": Advice(
        "iManage did not recognise a sign-in that it had just renewed.",
        "Ask for the headers X-Auth-Token and Authorization to be passed through to this host.",
        NETWORK_TEAM,
        cause="A proxy removes the headers that carry the sign-in, or the API URL leads to another iManage.",
    ),
    "api_url.other_customer": Advice(
        "The API URL leads to a different iManage customer from the URL.",
        "URL and API URL cannot be changed. Add the server again with the right addresses, then remove this one.",
        cause="People would sign in to one customer while Counterpart looks for their documents at the other.",
    ),
    "refresh.none": Advice(
        "The latest sign-in came without a refresh token.",
        "Ask for Allow Refresh Token to be set to Yes for this application in iManage Control Center. Then sign in "
        "again.",
        IMANAGE_ADMIN,
        cause="“Allow Refresh Token” is set to No, which is the default. People have to sign in again each time their "
        "sign-in expires, and long transfers stop.",
    ),
    "refresh.none_though_allowed": Advice(
        "The latest sign-in came without a refresh token, although other sign-ins to this server have one.",
        "Ask for Allow Refresh Token and its expiry to be checked for this application in iManage Control Center. Then "
        "sign in again.",
        IMANAGE_ADMIN,
        cause="“Allow Refresh Token” was set to No lately, or it was No when this person signed in. A change only "
        "counts for new sign-ins.",
    ),
}
