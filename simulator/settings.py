"""The settings: behaviour that iManage's public documentation leaves open or that differs between servers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

CHOICES = {
    "auth_header": ("either", "x-auth-token", "bearer"),
    "list_shape": ("documented", "array", "results", "object"),
    "checksum": ("right", "wrong", "absent"),
    "stored": ("as_sent", "stamped"),
    "comments": ("kept", "dropped", "not_listed"),
    "name_rule": ("refuse", "replace", "keep"),
    "oauth_error_shape": ("nested", "flat"),
}


@dataclass
class Settings:
    public_url: str = ""  # base URL in links and discovery; empty: the host of the request
    customer_id: int = 4242
    dms_version: str = "10.2.3812"
    api_versions: tuple[str, ...] = ("v2",)

    auth_header: str = "either"
    access_idle_seconds: float = 1800.0
    access_sliding: bool = True
    expires_in: Any = "true"  # "true": the idle time; "absent": omitted; any other value is sent as it is
    code_seconds: float = 60.0
    refresh_allowed: bool | None = None  # None: as registered for the application
    refresh_rotation: bool = False
    refresh_seconds: float = 365 * 86400.0
    refresh_needs_client: bool = True
    oauth_error_shape: str = "nested"
    issuer: str = ""  # sent as `iss` with the code, unless empty

    list_shape: str = "documented"
    default_limit: int = 500
    max_limit: int = 9999
    search_cap: int = 10000

    checksum: str = "right"
    size_off: int = 0  # added to the size in profiles
    stored: str = "as_sent"  # stamped: a few bytes are appended to uploads
    comments: str = "kept"  # not_listed: only in a document's own profile
    range_supported: bool = True
    download_length: bool = True
    upload_status: int = 201
    max_upload_bytes: int | None = None
    name_max: int = 254
    name_forbidden: str = '\\/:*?"<>|'
    name_rule: str = "refuse"  # replace: a forbidden character becomes "_" and a long name is shortened
    duplicate_names: bool = True
    wall_status: int = 403  # 403 or 404 for objects that the user may not see
    checked_out_status: int = 409

    latency: float = 0.0  # seconds before every response
    rate_limit: int | None = None  # calls per second and user; above it 429
    rate_limit_reset: int = 1

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def update(self, changes: dict[str, Any]) -> None:
        """Change several settings at once; an invalid name or value changes none. Raises ValueError."""
        hints = get_type_hints(Settings)
        clean: dict[str, Any] = {}
        for name, given in changes.items():
            if name not in hints:
                raise ValueError(
                    f"there is no setting {name!r}; known: {', '.join(f.name for f in fields(self))}"
                )
            value = tuple(given) if isinstance(given, list) and name == "api_versions" else given
            if isinstance(value, int) and not isinstance(value, bool) and hints[name] is float:
                value = float(value)
            if not _fits(value, hints[name]) or value not in CHOICES.get(name, (value,)):
                raise ValueError(f"{given!r} is not valid for the setting {name!r}")
            clean[name] = value
        for name, value in clean.items():
            setattr(self, name, value)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, hint) and not (isinstance(value, bool) and hint in (int, float))
