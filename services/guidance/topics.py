"""The three messages that people see when iManage does not open, with their causes.

One table for the Troubleshooting pages, their search, and the links from failed checks and sign-ins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from services.core.errors import Owner, owner_label
from services.core.text.normalise import fold, search_words
from services.guidance.advice import IMANAGE_ADMIN, NETWORK_TEAM, YOU, most_specific

PUNCTUATION = ".,;:!?\"'“”‘’«»()[]…"


class CheckResult(Protocol):
    """The part of a check's result that a topic reads."""

    @property
    def key(self) -> str: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True)
class Cause:
    """One possible cause: how to tell, how to fix it, and who needs to act.

    `checks` are the keys of the checks that confirm it or rule it out.
    """

    title: str
    how_to_tell: str
    fix: str
    owner: Owner
    checks: tuple[str, ...] = ()

    @property
    def owner_label(self) -> str:
        return owner_label(self.owner)

    def outcome(self, results: Iterable[CheckResult]) -> str:
        """What the last run says about it: "fail", "warn", "pass", or "" where its checks did not run."""
        outcomes = {each.outcome for each in results if each.key in self.checks}
        if "skipped" in outcomes and "fail" not in outcomes:
            return ""
        return next((each for each in ("fail", "warn", "pass") if each in outcomes), "")


@dataclass(frozen=True)
class Topic:
    """`literal` are the exact words on the screen; `codes` are the check and sign-in errors that link here.

    `groups` and `keys` select the checks that its page shows.
    """

    slug: str
    heading: str
    lead: str
    literal: tuple[str, ...]
    symptoms: tuple[str, ...]
    causes: tuple[Cause, ...]
    codes: tuple[str, ...]
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


CONTENT_IS_BLOCKED = Topic(
    slug="content-is-blocked",
    heading="Content is blocked",
    lead="Something between your computer and iManage blocks the page.",
    literal=("This content is blocked", "This content is blocked. Contact the site owner to fix the issue."),
    symptoms=(
        "The browser, or your firm’s security software, shows a message that content is blocked instead of iManage’s "
        "sign-in page.",
        "The page stays empty, or the browser cannot reach it.",
        "Counterpart says that it cannot reach the server, or that something other than iManage answered.",
    ),
    causes=(
        Cause(
            "A firewall or content filter between your browser and iManage",
            "The check from this browser fails, while Counterpart’s own checks of host name and connection pass.",
            "Allow the server’s URL for members’ browsers. It is on the request sheet of the server’s page.",
            NETWORK_TEAM,
        ),
        Cause(
            "A firewall between Counterpart and the server",
            "The check Connection fails, while browsers can reach the server.",
            "Allow connections from Counterpart to the server’s host and port. The request sheet lists them.",
            NETWORK_TEAM,
            ("tcp", "api_tcp"),
        ),
        Cause(
            "The firm’s outbound proxy",
            "The server is reached through a proxy, and one of the checks of the proxy fails.",
            "Let Counterpart through to the server’s host and port, without decryption. See the request sheet.",
            NETWORK_TEAM,
            ("proxy", "proxy_tunnel", "proxy_tls"),
        ),
        Cause(
            "A proxy answers instead of iManage",
            "The checks find a page that is not iManage’s: a sign-in, a warning or an error of the proxy.",
            "Let Counterpart reach the server without the proxy, or without the proxy’s own sign-in.",
            NETWORK_TEAM,
            ("api", "api_api"),
        ),
        Cause(
            "An untrusted certificate",
            "The check Certificate fails: unknown issuer, wrong name, or expired. Browsers show a warning.",
            "Install a certificate for this host name, with its full chain, on the iManage server.",
            IMANAGE_ADMIN,
            ("tls", "api_tls", "own_ca"),
        ),
        Cause(
            "The wrong URL",
            "The host name is unknown, or something other than iManage answers although there is no proxy.",
            "Compare the URL with the address that members use for iManage. The URL cannot be changed: if it is wrong, "
            "remove the server and add it again. If the firm moved, re-point it.",
            YOU,
            ("dns", "api"),
        ),
    ),
    codes=(
        "dns",
        "tcp",
        "line",
        "tls",
        "ca",
        "proxy",
        "address",
        "api",
        "sign_in_page.content_blocked",
        "imanage.unreachable",
        "imanage.not_imanage",
        "imanage.blocked",
    ),
    groups=frozenset({"Network", "Proxy"}),
    keys=frozenset({"api"}),
)
SOMETHING_WENT_WRONG = Topic(
    slug="something-went-wrong",
    heading="Something went wrong",
    lead="You cannot sign in to iManage: a URL is wrong, the connection is blocked, or iManage does not let you or "
    "Counterpart in.",
    literal=("error.somethingWentWrong", "Something went wrong"),
    symptoms=(
        "iManage’s page says that something went wrong, or shows only the code error.somethingWentWrong, before or "
        "after you sign in.",
        "You sign in to iManage and come back, but Counterpart says that the sign-in did not finish.",
    ),
    causes=(
        Cause(
            "Incorrect URL settings",
            "One of the checks of host name, iManage response, API URL or redirect URL fails: an address is not the "
            "one that iManage has.",
            "Compare URL and API URL with the addresses that people use for iManage. If one is wrong, remove the "
            "server and add it again. Copy the redirect URL from the server’s page into the registration.",
            YOU,
            ("dns", "api", "api_dns", "api_api", "redirect_url", "api_customer", "sign_in_page"),
        ),
        Cause(
            "A firewall or proxy blocks the connection",
            "The check Connection or Sign-in header fails, a proxy’s page answers, or the check from this browser "
            "fails while Counterpart’s own checks pass.",
            "Allow the server’s host and port for Counterpart and for members’ browsers, and pass responses and "
            "headers through unchanged. The request sheet on the server’s page lists everything.",
            NETWORK_TEAM,
            ("tcp", "tls", "api_tcp", "api_tls", "header"),
        ),
        Cause(
            "The Client ID is unknown, or the application is switched off",
            "The check Client ID fails.",
            "In iManage Control Center, find this application under Applications. Check that it is enabled and has the "
            "Client ID on the server’s page.",
            IMANAGE_ADMIN,
            ("client_id", "sign_in_page"),
        ),
        Cause(
            "The Client Secret is wrong",
            "The check Client Secret fails.",
            "Enter the secret again under Replace credentials. If nobody has it, create a new one in iManage Control "
            "Center.",
            YOU,
            ("secret",),
        ),
        Cause(
            "The person is not allowed to use the application",
            "Some people can sign in and others cannot. All checks pass.",
            "In iManage Control Center, add the person or a group under the application’s Access.",
            IMANAGE_ADMIN,
        ),
        Cause(
            "A proxy removes the sign-in header",
            "The check Sign-in header fails: people can sign in, but iManage does not recognise them afterwards.",
            "Set the proxy to pass the headers X-Auth-Token and Authorization through unchanged.",
            NETWORK_TEAM,
            ("header",),
        ),
        Cause(
            "URL and API URL lead to different customers",
            "The check iManage customer fails.",
            "Both must lead to the same iManage. If one is wrong, remove the server and add it again.",
            YOU,
            ("api_customer",),
        ),
        Cause(
            "The clocks differ",
            "The check Clock fails or warns.",
            "Synchronise both clocks with a time server. Sign-ins are only valid for minutes.",
            IMANAGE_ADMIN,
            ("clock",),
        ),
        Cause(
            "iManage has a fault, or asks Counterpart to wait",
            "The checks say so, often with how long to wait.",
            "Wait, then check again. If it still fails, look at the iManage server’s own logs.",
            IMANAGE_ADMIN,
            ("api", "api_api"),
        ),
    ),
    codes=(
        "sign_in_page",
        "client",
        "secret",
        "token",
        "header",
        "api_url",
        "api.server_fault",
        "api.gateway",
        "clock",
        "throttled",
        "refresh",
        "oauth.error",
        "oauth.no_code",
        "oauth.denied",
        "oauth.code_refused",
        "oauth.client_refused",
        "oauth.api_refused",
        "oauth.other_server",
        "imanage",
    ),
    groups=frozenset({"Network", "iManage", "Application", "API URL", "Sign-ins"}),
)
MISMATCH = Topic(
    slug="mismatch-redirect-url",
    heading="Mismatch redirect URL",
    lead="iManage only returns people to a redirect URL that it has been given, character for character.",
    literal=(
        "Mismatch redirect URL",
        "Mismatched redirect URI",
        "redirect_uri_mismatch",
        "Redirect URL mismatch",
        "Invalid redirect_uri",
    ),
    symptoms=(
        "iManage’s page says that the redirect URL does not match, before or after you sign in.",
        "The address of that page, or its text, mentions redirect_uri.",
    ),
    causes=(
        Cause(
            "Letter case",
            "The two URLs differ only in capital letters.",
            "Copy the redirect URL from the server’s page into the registration.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
        Cause(
            "http instead of https",
            "One starts with http://, the other with https://.",
            "Copy the redirect URL from the server’s page. If it starts with http:// although people use https://, set "
            "COUNTERPART_PUBLIC_URL to the https address first.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
        Cause(
            "A slash at the end",
            "One of the two ends with “/”.",
            "Remove the slash in the registration.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
        Cause(
            "Spaces",
            "A space or line break was pasted with the URL. It cannot be seen.",
            "Clear the field in the registration, then paste the redirect URL again with its Copy button.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
        Cause(
            "A different host",
            "The registration has another host or port: a test installation, a short name or an IP address.",
            "Copy the redirect URL from the server’s page into the registration. If Counterpart has moved, check "
            "COUNTERPART_PUBLIC_URL and COUNTERPART_API_URL first.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
        Cause(
            "A different path",
            "The URL in the registration does not end with /auth/v0/oauth2/authorized.",
            "Copy the whole redirect URL, including the path.",
            IMANAGE_ADMIN,
            ("redirect_url",),
        ),
    ),
    codes=("redirect",),
    keys=frozenset({"sign_in_page", "redirect_url"}),
)
TOPICS = (CONTENT_IS_BLOCKED, SOMETHING_WENT_WRONG, MISMATCH)
BY_CODE = {code: each for each in reversed(TOPICS) for code in each.codes}


def topic(slug: str) -> Topic | None:
    return next((each for each in TOPICS if each.slug == slug), None)


def topic_for(code: str) -> Topic | None:
    """The page about an error code, None where there is none."""
    return most_specific(BY_CODE, code)


@dataclass(frozen=True)
class Match:
    """A topic that a search found, and those of its causes that match."""

    topic: Topic
    causes: tuple[Cause, ...] = ()


def search(text: str) -> tuple[Match, ...]:
    """Topics whose literal message is in the text; else those that contain every word of it."""
    words = [kept for word in search_words(text) if (kept := word.strip(PUNCTUATION))]
    if not words:
        return ()
    squeezed = _squeezed(text)
    quoted = [each for each in TOPICS if any(_squeezed(words) in squeezed for words in each.literal)]
    if quoted:
        return tuple(Match(each) for each in quoted)
    found = []
    for each in TOPICS:
        causes = tuple(
            cause for cause in each.causes if _contains(words, cause.title, cause.how_to_tell, cause.fix)
        )
        own = (each.heading, each.lead, *each.literal, *each.symptoms, *each.codes)
        if causes or _contains(words, *own):
            found.append(Match(each, causes))
    return tuple(found)


def _contains(words: Iterable[str], *texts: str) -> bool:
    """Whether every word is somewhere in the texts, also across their spaces and punctuation."""
    folded = fold(" ".join(texts))
    squeezed = _squeezed(folded)
    return all(word in folded or _squeezed(word) in squeezed for word in words)


def _squeezed(text: str) -> str:
    """Letters and digits alone, so that `error.somethingWentWrong` matches “Something went wrong”."""
    return "".join(character for character in fold(text) if character.isalnum())
