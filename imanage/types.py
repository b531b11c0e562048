"""iManage Work's objects as frozen values, in iManage's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from .ids import DocumentId as DocumentId
from .ids import VersionId as VersionId

T = TypeVar("T")
CategoryType = Literal["my_favorites", "my_matters"]


@dataclass(frozen=True)
class Endpoints:
    """The two origins of one server: browsers are sent to `.browser`, calls go to `.api`."""

    browser: str
    api: str


@dataclass(frozen=True)
class AppCredentials:
    """The application's registration with the server. The secret is left out of the repr."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class TokenSet:
    """The tokens of one response. `expires_at` is aware UTC, or None if the server did not say."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    scope: str | None = None


@dataclass(frozen=True)
class Identity:
    """The user and customer of a token, and the base URL of the customer's API."""

    user_id: str
    name: str
    email: str | None
    customer_id: str
    base_url: str
    preferred_library: str | None
    libraries: tuple[str, ...]
    dms_version: str | None


@dataclass(frozen=True)
class Library:
    """A document database."""

    id: str
    name: str
    hidden: bool = False


@dataclass(frozen=True)
class Container:
    """A workspace, a folder or tab inside one, or a category of favourites or My Matters.

    `is_search`: its content is the result of a search, so nothing can be stored in it.
    """

    id: str
    name: str
    kind: Literal["workspace", "folder", "category"]
    library: str
    parent_id: str | None = None
    workspace_id: str | None = None
    folder_type: str | None = None
    view_type: str | None = None
    category_type: CategoryType | None = None
    is_search: bool = False
    client: str | None = None
    matter: str | None = None
    client_number: str | None = None
    matter_number: str | None = None
    edited_at: datetime | None = None
    url: str | None = None
    access: str | None = None


@dataclass(frozen=True)
class Document:
    """The profile of one version of a document."""

    id: VersionId
    name: str
    extension: str
    size: int | None = None
    checksum: str | None = None
    author: str | None = None
    author_name: str | None = None
    operator: str | None = None
    operator_name: str | None = None
    last_user: str | None = None
    last_user_name: str | None = None
    edited_at: datetime | None = None
    created_at: datetime | None = None
    type: str | None = None
    latest: int | None = None
    is_checked_out: bool = False
    in_use: bool = False
    in_use_by: str | None = None
    in_use_by_name: str | None = None
    checkout_at: datetime | None = None
    access: str | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None
    url: str | None = None
    comment: str | None = None
    is_email: bool = False
    operations: Mapping[str, bool] | None = None

    @property
    def version(self) -> int:
        """The number of this version."""
        return self.id.version

    @property
    def full_name(self) -> str:
        """The name with its extension."""
        return f"{self.name}.{self.extension.lower()}" if self.extension else self.name


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a remote list. `total` is None if the server did not count."""

    items: tuple[T, ...]
    total: int | None
    more: bool
    next_offset: int | None
    unreadable: int = 0
    """The number of rows skipped because they were malformed or had an invalid id."""
    is_cut: bool = False
    """Whether the server has more rows and no way to give them."""
    missing: tuple[str, ...] = ()
    """The libraries whose rows are not among the items, because they were not asked or did not answer."""


@dataclass(frozen=True)
class FieldWarning:
    """A profile field that iManage accepted with a warning."""

    field: str
    message: str


@dataclass(frozen=True)
class Stored:
    """The stored document, as iManage reports it."""

    document: Document
    warnings: tuple[FieldWarning, ...] = ()
