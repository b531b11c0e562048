"""What to do about each failure of our registration with a server, and of the sign-ins to it."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, NETWORK_TEAM, YOU, Advice

_CHANGE_REDIRECT = (
    "Copy our redirect URL from the server’s page into the application in iManage Control Center, in place of the one "
    "there."
)
_CLIENT = "Compare it, character by character, with the API Key of the application in iManage Control Center."


APPLICATION_ADVICE: dict[str, Advice] = {
    # The application
    "sign_in_page.missing": Advice(
        "iManage’s sign-in page is not at this address.",
        "The API answers here, and the sign-in (/auth/oauth2/authorize) is not let through or is on another host.",
        "Ask at which host people sign in to iManage, and whether /auth is published there.",
        IMANAGE_ADMIN,
    ),
    "sign_in_page.content_blocked": Advice(
        "iManage’s sign-in page says “Content is blocked”.",
        "iManage, or a security product in front of it, does not let this application show its sign-in.",
        "Ask whether the application is switched on, and whether its access is open to the people who are to use it.",
        IMANAGE_ADMIN,
    ),
    "sign_in_page.something_went_wrong": Advice(
        "iManage’s sign-in page says “Something went wrong”, and not what.",
        "The Client ID is not registered there, the redirect URL differs, or the application is switched off.",
        "Compare Client ID and redirect URL with the application in iManage Control Center, and see that it is on.",
        IMANAGE_ADMIN,
    ),
    "sign_in_page.refused": Advice(
        "iManage’s sign-in page refuses to begin, and does not say why.",
        "The Client ID is not registered there, the redirect URL differs, or the application is switched off.",
        "Compare Client ID and redirect URL with the application in iManage Control Center, and see that it is on.",
        IMANAGE_ADMIN,
    ),
    "client.missing": Advice(
        "There is no Client ID and Client Secret here yet.",
        "Nobody can sign in without them.",
        "Register the application in iManage, then enter both under Replace credentials.",
        YOU,
    ),
    "client.secret_lost": Advice(
        "The Client Secret on record cannot be opened.",
        "It was sealed with a key that this installation does not have any more.",
        "Enter the Client Secret again under Replace credentials.",
        YOU,
    ),
    "client.unknown": Advice(
        "iManage does not know this Client ID.",
        "The application is not registered there, is switched off, or the Client ID was mistyped.",
        _CLIENT,
        YOU,
    ),
    "client.not_uploaded": Advice(
        "iManage does not know this Client ID yet.",
        "It is that of an application package that was made here. The package has not been uploaded there, or the "
        "application is switched off.",
        "In iManage Control Center: Settings > Applications > Add Application > Upload package, up to Finish. Then "
        "check again.",
        IMANAGE_ADMIN,
    ),
    "client.refused": Advice(
        "iManage knows the application and refuses the sign-in.",
        "The application is not allowed this kind of sign-in. The words of iManage are below.",
        "Ask for the application to be of the type Web, with iManage Work Authentication on.",
        IMANAGE_ADMIN,
    ),
    "client.inconclusive": Advice(
        "It could not be found out whether iManage knows the Client ID.",
        "This server answers the same to a Client ID that nobody registered: it only looks after the sign-in.",
        "Sign in once yourself, on your account page. If iManage shows an error, compare the Client ID.",
        YOU,
    ),
    "redirect.letter_case": Advice(
        "Mismatch redirect URL: capital and small letters differ.",
        "iManage compares the redirect URL letter by letter.",
        _CHANGE_REDIRECT,
        IMANAGE_ADMIN,
    ),
    "redirect.scheme": Advice(
        "Mismatch redirect URL: one begins with http://, the other with https://.",
        "iManage compares the redirect URL letter by letter.",
        f"{_CHANGE_REDIRECT} If ours is the wrong one, put COUNTERPART_PUBLIC_URL right.",
        IMANAGE_ADMIN,
    ),
    "redirect.trailing_slash": Advice(
        "Mismatch redirect URL: there is a slash at the end of the one in iManage.",
        "iManage compares the redirect URL letter by letter.",
        _CHANGE_REDIRECT,
        IMANAGE_ADMIN,
    ),
    "redirect.spaces": Advice(
        "Mismatch redirect URL: there is a space before or after the one in iManage.",
        "A space came along when it was copied. It cannot be seen in the form.",
        _CHANGE_REDIRECT,
        IMANAGE_ADMIN,
    ),
    "redirect.host": Advice(
        "Mismatch redirect URL: the host is another.",
        "iManage has another name or port of this installation than the one that it is set up with.",
        f"{_CHANGE_REDIRECT} If ours is the wrong one, put COUNTERPART_PUBLIC_URL or COUNTERPART_API_URL right.",
        IMANAGE_ADMIN,
    ),
    "redirect.path": Advice(
        "Mismatch redirect URL: the path after the host is another.",
        "Part of the redirect URL was left out or changed when it was entered.",
        _CHANGE_REDIRECT,
        IMANAGE_ADMIN,
    ),
    "redirect.mismatch": Advice(
        "Mismatch redirect URL: iManage has another one for this application.",
        "It differs in more than letter case, http or https, a slash or a space: in its host, its path or both.",
        _CHANGE_REDIRECT,
        IMANAGE_ADMIN,
    ),
    "redirect.inconclusive": Advice(
        "It could not be found out whether iManage accepts our redirect URL.",
        "This server answers the same to a redirect URL that nobody registered: it only looks after the sign-in.",
        "Sign in once yourself, on your account page. If iManage shows “Mismatch redirect URL”, compare the two.",
        YOU,
    ),
    "token.not_imanage": Advice(
        "Something else answers where iManage gives out sign-ins (/auth/oauth2/token).",
        "A proxy on the way does not let this address through, or the sign-in is on another host.",
        "Ask for /auth/oauth2/token to be let through as it is.",
        NETWORK_TEAM,
    ),
    "secret.wrong": Advice(
        "iManage does not accept the Client Secret.",
        "It was mistyped, has been renewed in iManage, or has expired there.",
        "Enter the current Client Secret under Replace credentials. The iManage admin has it, or makes a new "
        "one.",
        YOU,
    ),
    "secret.inconclusive": Advice(
        "It could not be found out whether the Client Secret is right.",
        "This server answers the same to a secret that is wrong on purpose: it only looks at it after the sign-in.",
        "Sign in once yourself, on your account page. If that ends with an error, enter the Client Secret again.",
        YOU,
    ),
    # The sign-ins
    "header.swallowed": Advice(
        "The header that carries the sign-in does not arrive at iManage.",
        "A proxy or firewall on the way takes out headers that it does not know. The same sign-in is accepted when it "
        "comes in another header.",
        "Ask for the header below to be let through to this host.",
        NETWORK_TEAM,
    ),
    "header.inconclusive": Advice(
        "iManage did not recognise a sign-in that it had only just renewed.",
        "A proxy on the way takes out the headers that carry it, or the API belongs to another iManage.",
        "Ask for the headers X-Auth-Token and Authorization to be let through to this host.",
        NETWORK_TEAM,
    ),
    "api_url.other_customer": Advice(
        "The API URL leads to another iManage customer than the URL.",
        "People would sign in at one and their documents would be looked for at the other.",
        "URL and API URL cannot be changed: add the server again with the right ones, and remove this one.",
        YOU,
    ),
    "refresh.none": Advice(
        "No refresh token came back with the newest sign-in.",
        "“Allow Refresh Token” is No for this application, as it is to begin with: people have to sign in again "
        "whenever their sign-in runs out, and long transfers stop there.",
        "Ask for Allow Refresh Token to be set to Yes for this application in iManage Control Center. Then sign in "
        "again.",
        IMANAGE_ADMIN,
    ),
}
