"""Sign-in pages in place of an answer of the API: iManage's own, or that of a product in front of it.

An application proxy that authenticates people before it lets a request through answers calls with its own sign-in
page. Signing in to iManage again cannot help then, so the two are told apart.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from .errors import ImanageError, SignInPageError, UnauthorisedError
from .html_text import read_page

_MAX_READ = 64 * 1024
_IDENTITY_PROVIDER = re.compile(
    r"login\.microsoftonline\.|login\.microsoft\.com|login\.windows\.net|sts\.windows\.net|msappproxy|microsoft entra"
    r"|<title>\s{0,20}sign in to your account|aadcdn\.|/adfs/|\.okta\.com|\.oktapreview\.com|okta-signin|pingidentity"
    r"|pingone|onelogin\.com|duosecurity|\.auth0\.com|cloudflareaccess",
    re.IGNORECASE,
)
_GATEWAY = re.compile(
    r"zscaler|netskope|forti(gate|net)|globalprotect|big-?ip|palo alto|squid", re.IGNORECASE
)
_SIGN_IN_PATH = re.compile(r"(^|[/._-])(log-?[io]n|sign-?in|auth|saml2?|sso)([/._?-]|$)", re.IGNORECASE)
_PASSWORD = re.compile(r"""<input[^>]{0,300}type\s{0,3}=\s{0,3}["']?password""", re.IGNORECASE)
_SIGN_IN = re.compile(
    r"\b(sign|log)[ -]?(in|on)\b|\blogin\b|\bsession\b.{0,40}\b(expired|ended|timed out)\b", re.IGNORECASE
)


def of_redirect(url: str, location: str) -> type[ImanageError] | None:
    """The error for a redirect of this URL to a sign-in page, None for any other redirect."""
    try:
        to, asked = urlsplit(urljoin(url, location)), urlsplit(url)
    except ValueError:
        return None
    if _IDENTITY_PROVIDER.search(f"{to.netloc}{to.path}"):
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
    if _IDENTITY_PROVIDER.search(text):
        return SignInPageError
    page = read_page(text)
    if not (_PASSWORD.search(text) or _SIGN_IN.search(f"{page.title}\n{page.heading}")):
        return None
    return SignInPageError if _GATEWAY.search(text) else UnauthorisedError
