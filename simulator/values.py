"""The objects of the practice server as frozen values; changes replace them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from simulator.contents import Content

LEVELS = ("no_access", "read", "read_write", "full_access")
Key = tuple[str, int]


@dataclass(frozen=True)
class User:
    """A user. `id` is the one in the API; sign-in is case-insensitive."""

    id: str
    password: str
    full_name: str = ""
    email: str = ""
    number: int = 0
    external: bool = False
    allow_logon: bool = True
    preferred_library: str = ""


@dataclass(frozen=True)
class App:
    """An application as registered in Control Center."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()
    name: str = "Counterpart"
    refresh_allowed: bool = True


@dataclass(frozen=True)
class Library:
    id: str
    description: str = ""
    hidden_from: tuple[str, ...] = ()

    @property
    def database(self) -> str:
        """The library name in profiles, in upper case; ids keep it as written."""
        return self.id.upper()


@dataclass(frozen=True)
class Security:
    """`default` is inherit, private, view or public; trustees are (user id, access level)."""

    default: str = "inherit"
    trustees: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Container:
    """A workspace or a folder; `workspace` is the number of its workspace (its own number for a workspace)."""

    library: str
    number: int
    kind: str
    name: str
    parent: int | None
    workspace: int
    owner: str
    created: datetime
    edited: datetime
    description: str = ""
    folder_type: str = "regular"
    security: Security = Security()
    custom: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return (self.library, self.number)

    @property
    def id(self) -> str:
        return f"{self.library}!{self.number}"


@dataclass(frozen=True)
class Version:
    """One version of a document, with its profile."""

    number: int
    name: str
    extension: str
    type: str
    author: str
    operator: str
    last_user: str
    created: datetime
    edited: datetime
    content: Content
    class_: str = "DOC"
    subclass: str = ""
    comment: str = ""
    profile: dict[str, str] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.extension}" if self.extension else self.name


@dataclass(frozen=True)
class Lock:
    """A checkout: by whom, since when, and their comments."""

    user: str
    since: datetime
    comments: str = ""
    due_date: str = ""
    location: str = ""
    path: str = ""


@dataclass(frozen=True)
class Activity:
    """One entry of a document's history."""

    activity: str
    code: int
    user: str
    at: datetime
    version: int
    comments: str = ""


@dataclass(frozen=True)
class Document:
    library: str
    number: int
    folders: tuple[int, ...]
    versions: tuple[Version, ...]
    security: Security = Security()
    lock: Lock | None = None
    history: tuple[Activity, ...] = ()

    @property
    def key(self) -> Key:
        return (self.library, self.number)

    @property
    def latest(self) -> Version:
        return self.versions[-1]

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    def id(self, version: Version | None = None) -> str:
        return f"{self.library}!{self.number}.{(version or self.latest).number}"
