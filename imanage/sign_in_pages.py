"""Sign-in pages in place of an answer of the API: iManage's own, or that of a product in front of it.

An application proxy that authenticates people before it lets a request through answers calls with its own sign-in
page. Signing in to iManage again cannot help then, so the two are told apart.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import requests

from .errors import ImanageError, SignInPageError, UnauthorisedError
from .html_text import read_page

_MAX_READ = 64 * 1024
MICROSOFT = r"login\.microsoftonline\.|login\.microsoft\.com|login\.windows\.net|sts\.windows\.net|msappproxy|aadcdn\."
_OTHERS = (
    r"\.okta\.com|\.oktapreview\.com|okta-signin|pingidentity|pingone|onelogin\.com|duosecurity|\.auth0\.com|/adfs/"
    r"|cloudflareaccess|zscaler|netskope|fortigate|globalprotect|big-?ip"
)
_OF_MICROSOFT = re.compile(
    rf"{MICROSOFT}|microsoft entra|<title>\s{{0,20}}sign in to your account", re.IGNORECASE
)
_OF_ANOTHER = re.compile(rf"{_OF_MICROSOFT.pattern}|{_OTHERS}", re.IGNORECASE)
_SIGN_IN_PATH = re.compile(
    r"(^|[/._-])(login|logon|log-?in|sign-?in|auth|saml2?|sso)([/._?-]|$)", re.IGNORECASE
)
_PASSWORD = re.compile(r"""<input[^>]{0,300}type\s{0,3}=\s{0,3}["']?password""", re.IGNORECASE)
_SIGN_IN = re.compile(
    r"\b(sign|log)[ -]?(in|on)\b|\blogin\b|\bsession\b.{0,40}\b(expired|ended|timed out)\b", re.IGNORECASE
)


def of_redirect(response: requests.Response) -> type[ImanageError] | None:
    """The error for a redirect to a sign-in page, None for any other redirect."""
    url = response.url or ""
    try:
        to, asked = urlsplit(urljoin(url, response.headers.get("Location", ""))), urlsplit(url)
    except ValueError:
        return None
    if _OF_ANOTHER.search(f"{to.netloc}{to.path}"):
        return SignInPageError
    if not _SIGN_IN_PATH.search(to.path):
        return None
    is_own = to.hostname == asked.hostname or "imanage" in (to.hostname or "")
    return UnauthorisedError if is_own else SignInPageError


def of_body(body: bytes, content_type: str = "") -> type[ImanageError] | None:
    """The error for a sign-in page, None for any other body."""
    text = body[:_MAX_READ].decode("utf-8", "replace")
    start = text[:512].lstrip().lower()
    if "html" not in content_type.lower() and not start.startswith(("<!doctype html", "<html")):
        return None
    if _OF_ANOTHER.search(text):
        return SignInPageError
    page = read_page(text)
    if _PASSWORD.search(text) or _SIGN_IN.search(f"{page.title}\n{page.heading}"):
        return UnauthorisedError
    return None


def is_microsoft(text: str) -> bool:
    """Whether a page or the target of a redirect belongs to Microsoft's sign-in."""
    return bool(_OF_MICROSOFT.search(text[:_MAX_READ]))
