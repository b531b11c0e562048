"""Settings: one frozen value read from the environment, checked at start, every wrong value named at once."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import idna

import key_file

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VERSION = "0.1.0"
DEFAULT_DATA_DIR = Path(__file__).resolve().parent / "instance"
KEY_FILE = key_file.NAME
LOG_LEVELS = ("debug", "info", "warning", "error")
PORTS = {"http": 80, "https": 443}
FEWEST_CONNECTIONS = 4  # with fewer, a worker's duties would wait for its transfers
DEFAULT_MAX_DOCUMENT_BYTES = 5 * 1024**3
DEFAULT_CHECK_MINUTES, MOST_CHECK_MINUTES = 15, 1440
SQLITE, POSTGRESQL = "sqlite:///", "postgresql+psycopg://"
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+")


class SettingsError(Exception):
    """One or more settings are wrong; the message names each on a line of its own."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("Counterpart cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


@dataclass(frozen=True)
class Settings:
    """The settings of one installation. docs/operations.md lists their names."""

    data_dir: Path
    database_url: str
    database_pool: int
    storage_url: str
    public_url: str
    api_url: str
    host: str
    port: int
    secret_keys: tuple[str, ...] = field(repr=False)
    imanage_ports: frozenset[int]
    imanage_allow_http: bool
    imanage_networks: tuple[Network, ...]
    imanage_domains: tuple[str, ...]
    cloud_domain: str
    cloud_client_id: str
    cloud_client_secret: str = field(repr=False)
    outbound_ips: tuple[str, ...]
    outbound_proxy: str
    outbound_proxy_login: tuple[str, str] = field(repr=False)
    no_proxy: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    max_document_bytes: int
    quota_bytes: int | None
    quota_matter_bytes: int | None
    quota_member_bytes: int | None
    scan: str
    check_minutes: int
    practice_port: int
    practice_url: str
    log_level: str
    smtp_url: str = field(repr=False)
    mail_from: str
    hsts_subdomains: bool = False

    @property
    def redirect_url(self) -> str:
        """The one OAuth redirect URL of this installation, exactly as iManage must know it."""
        return f"{self.api_url}/auth/v0/oauth2/authorized"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def bypasses_proxy(self, host: str) -> bool:
        """Whether `no_proxy` lists a host: by its name, by a domain that it is in, or an address by its network."""
        host = host.lower().rstrip(".")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return any(host == each or host.endswith(f".{each}") for each in self.no_proxy)
        return any(address in network for network in self.no_proxy_networks)

    @property
    def no_proxy_networks(self) -> tuple[Network, ...]:
        return tuple(ipaddress.ip_network(each) for each in self.no_proxy if "/" in each)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        return _Reader(os.environ if environ is None else environ).read()


def check_environment() -> None:
    """Raises SettingsError where a setting is wrong. Touches no file."""
    _Reader(os.environ).checked()


def origin(url: str) -> str:
    """The origin as browsers write it. Raises ValueError for a URL that is more or less than an origin."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    is_more = parts.path or parts.query or parts.fragment or parts.username or parts.password
    if (
        parts.scheme not in PORTS
        or not host
        or is_more
        or port == 0
        or any(c.isspace() or c == "%" for c in url)
    ):
        raise ValueError("This is not an origin.")
    if ":" in host:
        host = f"[{ipaddress.IPv6Address(host).compressed}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")  # its errors are ValueErrors
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, PORTS[parts.scheme]} else "")


class _Reader:
    """Reads every setting before it raises, so that one start names all that are wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def read(self) -> Settings:
        settings, given = self.checked()
        login = settings.outbound_proxy_login[0], self._proxy_password()
        settings = replace(settings, outbound_proxy_login=login)
        try:
            return replace(settings, secret_keys=given or key_file.read_or_make(settings.data_dir / KEY_FILE))
        except key_file.KeyFileError as error:
            raise SettingsError([str(error)]) from None

    def checked(self) -> tuple[Settings, tuple[str, ...]]:
        """The settings without keys, and the keys that the environment gives. Touches no file."""
        data_dir = Path(self._text("DATA_DIR", str(DEFAULT_DATA_DIR))).expanduser().resolve()
        public_url = self._origin("PUBLIC_URL", "http://127.0.0.1:8000")
        settings = Settings(
            data_dir=data_dir,
            database_url=self._database_url(data_dir),
            database_pool=self._number(
                "DATABASE_POOL",
                0,  # what each kind of process needs
                {0, *range(FEWEST_CONNECTIONS, 1000)},
                f"a number of connections from {FEWEST_CONNECTIONS} to 999",
            ),
            storage_url=self._storage_url(data_dir),
            public_url=public_url,
            api_url=self._origin("API_URL", public_url),
            host=self._text("HOST", "127.0.0.1"),
            port=self._port("PORT", 8000),
            secret_keys=(),
            imanage_ports=self._ports("IMANAGE_PORTS", "443"),
            imanage_allow_http=self._flag("IMANAGE_ALLOW_HTTP"),
            imanage_networks=self._networks("IMANAGE_NETWORKS"),
            imanage_domains=tuple(name.lower().strip(".") for name in self._list("IMANAGE_DOMAINS")),
            cloud_domain=self._text("CLOUD_DOMAIN", "cloudimanage.com").lower(),
            cloud_client_id=self._text("CLOUD_CLIENT_ID", ""),
            cloud_client_secret=self._text("CLOUD_CLIENT_SECRET", ""),
            outbound_ips=self._list("OUTBOUND_IPS"),
            outbound_proxy=(proxy := self._outbound_proxy())[0],
            outbound_proxy_login=(proxy[1], ""),
            no_proxy=self._no_proxy(),
            trusted_proxies=self._networks("TRUSTED_PROXIES"),
            max_document_bytes=self._bytes("MAX_DOCUMENT_BYTES", DEFAULT_MAX_DOCUMENT_BYTES),
            quota_bytes=self._quota("QUOTA_BYTES"),
            quota_matter_bytes=self._quota("QUOTA_MATTER_BYTES"),
            quota_member_bytes=self._quota("QUOTA_MEMBER_BYTES"),
            scan=self._scan(),
            check_minutes=self._number(
                "CHECK_MINUTES",
                DEFAULT_CHECK_MINUTES,
                range(MOST_CHECK_MINUTES + 1),
                f"a number of minutes from 0 to {MOST_CHECK_MINUTES}",
            ),
            practice_port=(practice_port := self._port("PRACTICE_PORT", 8770)),
            practice_url=self._origin("PRACTICE_URL", f"http://127.0.0.1:{practice_port}"),
            log_level=self._log_level(),
            smtp_url=self._smtp_url(),
            mail_from=self._mail_from(),
            hsts_subdomains=self._flag("HSTS_SUBDOMAINS"),
        )
        given = self._list("SECRET_KEYS")
        if any(len(key) < key_file.SHORTEST_KEY for key in given):
            self._wrong("SECRET_KEYS", f"has a key of fewer than {key_file.SHORTEST_KEY} characters.")
        if self.problems:
            raise SettingsError(self.problems)
        return settings, given

    def _text(self, name: str, default: str) -> str:
        return self.environ.get(f"COUNTERPART_{name}", "").strip() or default

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._text(name, "").split(",") if part.strip())

    def _wrong(self, name: str, sentence: str) -> None:
        self.problems.append(f"COUNTERPART_{name} {sentence}")

    def _flag(self, name: str) -> bool:
        value = self._text(name, "0").lower()
        if value not in {"0", "1", "true", "false", "yes", "no"}:
            self._wrong(name, f"must be 0 or 1, not {value!r}.")
        return value in {"1", "true", "yes"}

    def _number(self, name: str, default: int, allowed: Container[int], what: str) -> int:
        value = self._text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) not in allowed:
            self._wrong(name, f"must be {what}, not {value!r}.")
            return 0
        return int(value)

    def _port(self, name: str, default: int) -> int:
        return self._number(name, default, range(1, 65536), "a port number from 1 to 65535")

    def _ports(self, name: str, default: str) -> frozenset[int]:
        ports = set()
        for part in self._text(name, default).split(","):
            part = part.strip()
            if not part.isascii() or not part.isdigit() or not 0 < int(part) < 65536:
                self._wrong(name, f"must be a comma-separated list of port numbers. {part!r} is not one.")
            else:
                ports.add(int(part))
        return frozenset(ports)

    def _networks(self, name: str) -> tuple[Network, ...]:
        networks: list[Network] = []
        for part in self._list(name):
            try:
                networks.append(ipaddress.ip_network(part, strict=False))
            except ValueError:
                self._wrong(
                    name,
                    f"must be a comma-separated list of networks such as 10.0.0.0/8. {part!r} is not one.",
                )
        return tuple(networks)

    def _bytes(self, name: str, default: int) -> int:
        return self._number(name, default, range(1, 1 << 63), "a number of bytes")

    def _quota(self, name: str) -> int | None:
        """None: no limit."""
        return self._bytes(name, 0) if self._text(name, "") else None

    def _scan(self) -> str:
        value = self._text("SCAN", "")
        try:
            parts = urlsplit(value)
            is_fine = (
                parts.path.startswith("/")
                and not (parts.query or parts.fragment or parts.username)
                and (parts.scheme == "icap" and bool(parts.hostname) and parts.port != 0)
            ) or (parts.scheme in {"clamd", "command"} and not parts.netloc and len(parts.path) > 1)
        except ValueError:
            is_fine = False
        if value and not is_fine:
            self._wrong(
                "SCAN",
                "must be clamd:///path/to/socket, icap://host:port/service or command:/path/to/program.",
            )
        return value

    def _origin(self, name: str, default: str) -> str:
        """As browsers write an origin: lower case, the host in ASCII, without the scheme's default port."""
        value = self._text(name, default).rstrip("/")
        try:
            return origin(value)
        except ValueError:
            self._wrong(name, f"must be http:// or https:// and a host, without a path, not {value!r}.")
            return value

    def _outbound_proxy(self) -> tuple[str, str]:
        """URL without user, and user. The value is never echoed: it may hold a password, although it must not."""
        value, name = self._text("OUTBOUND_PROXY", ""), "OUTBOUND_PROXY"
        has_file = bool(self._text("OUTBOUND_PROXY_PASSWORD_FILE", ""))
        try:
            parts = urlsplit(value)
            host, port, user = parts.hostname or "", parts.port, unquote(parts.username or "")
        except ValueError:
            parts, host, port, user = urlsplit(""), "", None, ""
        if parts.password is not None:
            self._wrong(
                name, f"must not hold a password. Put it in a file named by COUNTERPART_{name}_PASSWORD_FILE."
            )
        elif value and (
            parts.scheme != "http"
            or not port
            or not (_HOST.fullmatch(host) or _is_address(host))
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
            or ":" in user
        ):
            self._wrong(
                name,
                "must be http://host:port, or http://user@host:port for a proxy that asks for a sign-in.",
            )
        elif bool(user) != has_file:
            self._wrong(
                f"{name}_PASSWORD_FILE", f"must be set if COUNTERPART_{name} names a user, and only then."
            )
        if not value:
            return "", ""
        return f"http://{f'[{host}]' if ':' in host else host}:{port}", user

    def _proxy_password(self) -> str:
        """The first line of the file, whose other content does not count."""
        name = "OUTBOUND_PROXY_PASSWORD_FILE"
        path = self._text("OUTBOUND_PROXY_PASSWORD_FILE", "")
        if not path:
            return ""
        try:
            with Path(path).expanduser().open(encoding="utf-8") as file:
                password = file.readline(4096).rstrip("\r\n")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SettingsError([f"COUNTERPART_{name} cannot be read: {why}."]) from None
        if not password:
            raise SettingsError([f"COUNTERPART_{name} names a file without a password in its first line."])
        return password

    def _no_proxy(self) -> tuple[str, ...]:
        """Host names and domains in lower case, networks with a prefix."""
        found: list[str] = []
        for part in self._list("NO_PROXY"):
            host = part.lower().removeprefix("*").strip(".")
            try:
                found.append(str(ipaddress.ip_network(part.strip("[]"), strict=False)))
                continue
            except ValueError:
                pass
            if not _HOST.fullmatch(host) or host.replace(".", "").isdigit():
                self._wrong(
                    "NO_PROXY",
                    "must be a comma-separated list of host names, domains such as .firm.com and networks such as "
                    f"10.0.0.0/8. {part!r} is none of these.",
                )
            found.append(host)
        return tuple(found)

    def _smtp_url(self) -> str:
        """Never echoed: it may hold a password."""
        value = self._text("SMTP_URL", "")
        try:
            parts = urlsplit(value)
            is_fine = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            parts, is_fine = urlsplit(""), False
        if value and (not is_fine or parts.path.strip("/") or parts.query or parts.fragment):
            self._wrong(
                "SMTP_URL",
                "must be smtp:// or smtps://, then optionally user:password@, then a host and a port.",
            )
        return value

    def _mail_from(self) -> str:
        value = self._text("MAIL_FROM", "")
        if value and not _ADDRESS.fullmatch(value):
            self._wrong("MAIL_FROM", f"must be one email address, not {value!r}.")
        if not value and self._text("SMTP_URL", ""):
            self._wrong("MAIL_FROM", "must be set if COUNTERPART_SMTP_URL is set.")
        return value

    def _database_url(self, data_dir: Path) -> str:
        value = self._text("DATABASE_URL", f"{SQLITE}{data_dir / 'counterpart.sqlite'}")
        if not value.startswith((SQLITE, POSTGRESQL)):
            self._wrong("DATABASE_URL", f"must start with {SQLITE} or {POSTGRESQL}.")
        return value

    def _log_level(self) -> str:
        value = self._text("LOG_LEVEL", "info").lower()
        if value not in LOG_LEVELS:
            self._wrong("LOG_LEVEL", f"must be one of {', '.join(LOG_LEVELS)}, not {value!r}.")
        return value

    def _storage_url(self, data_dir: Path) -> str:
        value = self._text("STORAGE_URL", f"file://{data_dir / 'blobs'}")
        if not value.startswith(("file:///", "s3://")):
            self._wrong("STORAGE_URL", "must start with file:/// or s3://.")
        return value


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def sqlite_file(database_url: str) -> Path | None:
    """The file of a SQLite database, for readers without SQLAlchemy; None for PostgreSQL.

    A relative path is in the instance folder, where Flask-SQLAlchemy opens it.
    """
    if not database_url.startswith(SQLITE):
        return None
    return DEFAULT_DATA_DIR / unquote(database_url.removeprefix(SQLITE).partition("?")[0])


def libpq_url(database_url: str) -> str:
    """The URL of a PostgreSQL database in the form of psycopg, without SQLAlchemy's driver."""
    return database_url.replace(POSTGRESQL, "postgresql://", 1)
