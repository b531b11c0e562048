"""The three things that people read when iManage does not open, and what lies behind each. A table, so that pages,
checks, failed sign-ins and the search lead to the same words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from services.core.errors import Owner, owner_label
from services.core.text.normalise import fold, search_words

STOPS = ".,;:!?\"'“”‘’«»()[]…"


class CheckResult(Protocol):
    """One result of the diagnostics, as far as a topic reads it."""

    @property
    def key(self) -> str: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True)
class Cause:
    """One thing that can lie behind it: how to tell, what mends it, and whose step that is (a key of OWNERS).

    `checks` are the keys of those that tell live whether it is this.
    """

    title: str
    tell: str
    mend: str
    owner: Owner
    checks: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        return owner_label(self.owner)

    def found_by(self, results: Iterable[CheckResult]) -> str:
        """What the last run says of it: "fail", "warn", "pass", or nothing where no check has told."""
        outcomes = {each.outcome for each in results if each.key in self.checks}
        if "skipped" in outcomes and "fail" not in outcomes:
            return ""
        return next((each for each in ("fail", "warn", "pass") if each in outcomes), "")


@dataclass(frozen=True)
class Topic:
    """`codes` are those of checks and of failed sign-ins that lead here, `groups` and `keys` the checks that tell.

    `literal` are the very words and codes that people read on the screen.
    """

    slug: str
    heading: str
    lead: str
    literal: tuple[str, ...]
    seen: tuple[str, ...]
    causes: tuple[Cause, ...]
    codes: tuple[str, ...]
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


CONTENT_IS_BLOCKED = Topic(
    slug="content-is-blocked",
    heading="Content is blocked",
    lead="Something between a computer and iManage blocks the page.",
    literal=("This content is blocked", "This content is blocked. Contact the site owner to fix the issue."),
    seen=(
        "The browser, or a page of your firm’s security software, says that content is blocked in place of "
        "iManage’s sign-in page.",
        "The page stays empty, or the browser says that it cannot be reached.",
        "Counterpart says that the server could not be reached, or that something else answered.",
    ),
    causes=(
        Cause(
            "A firewall or content filter on the way to your browser",
            "The check from this browser fails, while Counterpart’s own checks of name and connection pass.",
            "Allow the server’s URL for members’ browsers. The request sheet on the server’s page names it.",
            "your network team",
        ),
        Cause(
            "A firewall between Counterpart and the server",
            "“The server takes connections” fails without an answer or with a refusal, while browsers reach it.",
            "Open the server’s host and port for Counterpart’s own addresses. The request sheet names them all.",
            "your network team",
            ("tcp", "api_tcp"),
        ),
        Cause(
            "A proxy that answers in iManage’s place",
            "The checks find a page that is not iManage’s: a sign-in, a warning or an error of the proxy.",
            "Let Counterpart reach the server’s address without the proxy, or without the proxy’s own sign-in.",
            "your network team",
            ("api", "api_api"),
        ),
        Cause(
            "A certificate that is not trusted",
            "The check of the certificate fails: unknown issuer, another name, or past its date. Browsers warn.",
            "Install a certificate for this name with its whole chain on the iManage server.",
            "your iManage admin",
            ("tls", "api_tls", "own_ca"),
        ),
        Cause(
            "The URL leads elsewhere",
            "The name does not resolve, or the answer is not iManage’s although no proxy stands in between.",
            "Compare the URL with the address that members use for iManage. If it is wrong, remove the server and "
            "add it again: the URL cannot be changed.",
            "you",
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
    groups=frozenset({"Network"}),
    keys=frozenset({"api"}),
)
SOMETHING_WENT_WRONG = Topic(
    slug="something-went-wrong",
    heading="Something went wrong",
    lead="Signing in to iManage fails: a URL is set wrong, something on the way blocks it, or iManage "
    "does not let this application or this person in.",
    literal=("error.somethingWentWrong", "Something went wrong"),
    seen=(
        "iManage’s own page says that something went wrong, or shows the bare code error.somethingWentWrong, before or "
        "after the sign-in.",
        "You sign in at iManage, come back, and Counterpart says that the sign-in did not finish.",
    ),
    causes=(
        Cause(
            "Incorrect URL settings",
            "One of the checks of the name, of iManage’s answer, of the API URL or of our redirect URL fails: one of "
            "these addresses is not the one that iManage has.",
            "Compare URL and API URL with the addresses that people use for iManage. If one is wrong, remove the "
            "server and add it again. Copy the redirect URL from the server’s page into the registration.",
            "you",
            ("dns", "api", "api_dns", "api_api", "redirect_url", "api_customer", "sign_in_page"),
        ),
        Cause(
            "A firewall or proxy is blocking",
            "“The server takes connections” or “The sign-in’s header arrives” fails, a proxy’s own page answers, or "
            "the check from this browser fails while Counterpart’s own checks pass.",
            "Allow the server’s host and port for Counterpart and for members’ browsers, and let answers and headers "
            "through unchanged. The request sheet on the server’s page names all of it.",
            "your network team",
            ("tcp", "tls", "api_tcp", "api_tls", "header"),
        ),
        Cause(
            "The Client ID is not known, or the application is switched off",
            "“The Client ID is known” fails.",
            "In iManage Control Center, under Applications, look for this application: it must be there, enabled, "
            "and its Client ID the one on the server’s page.",
            "your iManage admin",
            ("client_id", "sign_in_page"),
        ),
        Cause(
            "The Client Secret is wrong",
            "“The Client Secret is accepted” fails.",
            "Enter the secret again under Replace credentials. If nobody has it, make a new one in iManage "
            "Control Center.",
            "you",
            ("secret",),
        ),
        Cause(
            "The person may not use the application",
            "Some people can sign in and others cannot. All checks pass.",
            "In iManage Control Center, open the application’s Access and add the person or a group.",
            "your iManage admin",
        ),
        Cause(
            "A proxy takes away the sign-in’s header",
            "“The sign-in’s header arrives” fails: signing in works, and then iManage knows nobody.",
            "Let the proxy pass the headers X-Auth-Token and Authorization on unchanged.",
            "your network team",
            ("header",),
        ),
        Cause(
            "URL and API URL lead to different customers",
            "“URL and API URL lead to the same customer” fails.",
            "Both must lead to the same iManage. If one is wrong, remove the server and add it again.",
            "you",
            ("api_customer",),
        ),
        Cause(
            "The clocks differ",
            "“The clocks agree” fails or warns.",
            "Set both clocks by a time server: sign-ins are good for minutes only.",
            "your iManage admin",
            ("clock",),
        ),
        Cause(
            "iManage has a fault, or asks to be left alone",
            "The checks say so, often with how long to wait.",
            "Wait, then check again. If it stays, look into the iManage server’s own logs.",
            "your iManage admin",
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
    lead="iManage sends people back only to an address that it knows, letter for letter.",
    literal=(
        "Mismatch redirect URL",
        "Mismatched redirect URI",
        "redirect_uri_mismatch",
        "Redirect URL mismatch",
        "Invalid redirect_uri",
    ),
    seen=(
        "iManage’s page says that the redirect URL does not match, before or after the sign-in.",
        "The address of that page, or its text, names redirect_uri.",
    ),
    causes=(
        Cause(
            "Letter case",
            "The two addresses differ only in capital letters.",
            "Copy the redirect URL from the server’s page and put it into the registration.",
            "your iManage admin",
            ("redirect_url",),
        ),
        Cause(
            "http in place of https",
            "The registration begins with http:// and ours with https://, or the other way round.",
            "Copy the redirect URL from the server’s page. If ours begins with http:// although people use "
            "https://, set COUNTERPART_PUBLIC_URL to the https address first.",
            "your iManage admin",
            ("redirect_url",),
        ),
        Cause(
            "A slash at the end",
            "One of the two ends in “/”.",
            "Take the slash away in the registration.",
            "your iManage admin",
            ("redirect_url",),
        ),
        Cause(
            "Spaces",
            "A blank or a line break came along when the address was pasted. It cannot be seen.",
            "Empty the field in the registration, then paste the redirect URL again with its Copy button.",
            "your iManage admin",
            ("redirect_url",),
        ),
        Cause(
            "Another host",
            "The registration names another host or port: a test installation, a short name, an address.",
            "Put the redirect URL of the server’s page into the registration. If Counterpart has moved, check "
            "COUNTERPART_PUBLIC_URL and COUNTERPART_API_URL first.",
            "your iManage admin",
            ("redirect_url",),
        ),
        Cause(
            "Another path",
            "The registration ends in something other than /auth/v0/oauth2/authorized.",
            "Copy the whole redirect URL, path and all.",
            "your iManage admin",
            ("redirect_url",),
        ),
    ),
    codes=("redirect",),
    keys=frozenset({"sign_in_page", "redirect_url"}),
)
TOPICS = (CONTENT_IS_BLOCKED, SOMETHING_WENT_WRONG, MISMATCH)


def topic(slug: str) -> Topic | None:
    return next((each for each in TOPICS if each.slug == slug), None)


def topic_for(code: str) -> Topic | None:
    """The page that a code leads to: the one that names most of it, from its beginning."""
    while code:
        for each in TOPICS:
            if code in each.codes:
                return each
        code = code.rpartition(".")[0]
    return None


@dataclass(frozen=True)
class Match:
    """A topic that a search found, and those of its causes that speak of it."""

    topic: Topic
    causes: tuple[Cause, ...] = ()


def search(text: str) -> tuple[Match, ...]:
    """By the words that people read: a literal message wherever it stands in the text, else all of the words."""
    words = [kept for word in search_words(text) if (kept := word.strip(STOPS))]
    if not words:
        return ()
    asked = _joined(text)
    told = [each for each in TOPICS if any(_joined(words) in asked for words in each.literal)]
    if told:
        return tuple(Match(each) for each in told)
    found = []
    for each in TOPICS:
        causes = tuple(cause for cause in each.causes if _holds(words, cause.title, cause.tell, cause.mend))
        if causes or _holds(words, each.heading, each.lead, *each.literal, *each.seen, *each.codes):
            found.append(Match(each, causes))
    return tuple(found)


def _holds(words: Iterable[str], *texts: str) -> bool:
    """Words are found by their beginning or anywhere within, and whole messages also where they are one word."""
    told = fold(" ".join(texts))
    bare = _joined(told)
    return all(word in told or _joined(word) in bare for word in words)


def _joined(text: str) -> str:
    """Letters and digits alone, so that `error.somethingWentWrong` and “Something went wrong” meet."""
    return "".join(character for character in fold(text) if character.isalnum())
