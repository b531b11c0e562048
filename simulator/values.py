"""The objects of the practice server as frozen values; changes replace them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from simulator.contents import Content

LEVELS = ("no_access", "read", "read_write", "full_access")
DEFAULTS = ("inherit", "private", "view", "public")
Key = tuple[str, int]


def object_id(key: Key) -> str:
    """The id of a container or category in the API; that of a document also names a version."""
    library, number = key
    return f"{library}!{number}"


@dataclass(frozen=True)
class Numbered:
    """An object with a number of its own in a library."""

    library: str
    number: int

    @property
    def key(self) -> Key:
        return (self.library, self.number)

    @property
    def database(self) -> str:
        """The library name in profiles, in upper case; ids keep it as written."""
        return self.library.upper()


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
    public: bool = False  # a public client needs no secret


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
    """`default` is one of `DEFAULTS`; trustees are (user id, access level)."""

    default: str = "inherit"
    trustees: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Container(Numbered):
    """A workspace or a folder; `workspace` is the number of its workspace (its own number for a workspace)."""

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
    query: dict[str, str] = field(default_factory=dict)  # of a search folder: the filters of its search

    @property
    def id(self) -> str:
        return object_id(self.key)


@dataclass(frozen=True)
class Category(Numbered):
    """A category of a user's favourites or My Matters, with the keys of what is in it."""

    kind: str  # my_favorites or my_matters
    name: str
    user: str
    entries: tuple[Key, ...] = ()

    @property
    def id(self) -> str:
        return object_id(self.key)


@dataclass(frozen=True)
class Template:
    """A template of workspaces."""

    library: str
    id: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class Email:
    """The headers of an e-mail. `conversation` is the id that the messages of one exchange share."""

    sender: str
    to: str
    subject: str
    sent: datetime
    received: datetime
    cc: str = ""
    bcc: str = ""
    conversation: str = ""
    has_attachment: bool = False


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
    email: Email | None = None

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
class Document(Numbered):
    folders: tuple[int, ...]
    versions: tuple[Version, ...]
    security: Security = Security()
    lock: Lock | None = None
    history: tuple[Activity, ...] = ()
    declared: bool = False  # a record: nobody may edit it

    @property
    def latest(self) -> Version:
        return self.versions[-1]

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    def id(self, version: Version | None = None) -> str:
        return f"{object_id(self.key)}.{(version or self.latest).number}"
