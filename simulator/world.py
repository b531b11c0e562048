"""The practice data: records, access rights, and methods to add objects.

Tests use the same methods as the web layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from simulator.contents import Content, as_content
from simulator.doctypes import type_of
from simulator.records import Records
from simulator.values import (
    LEVELS,
    Activity,
    Category,
    Container,
    Document,
    Email,
    Lock,
    Security,
    User,
    Version,
)


def now() -> datetime:
    return datetime.now(UTC)


class World(Records):
    # -- access rights ------------------------------------------------------------------------------------------

    def access(self, user: User, thing: Container | Document) -> str:
        """no_access, read, read_write or full_access."""
        library = self.library(thing.library)
        if library is None or user.id in library.hidden_from:
            return LEVELS[0]
        if isinstance(thing, Document):
            if thing.security != Security():
                return _level(user, thing.security, thing.versions[0].author)
            folders = [self.container(thing.library, number) for number in thing.folders]
            levels = [self.access(user, folder) for folder in folders if folder]
            return max(levels, key=LEVELS.index, default=LEVELS[0])
        for container in reversed(self.path(thing)):
            if container.security != Security():
                return _level(user, container.security, container.owner)
        return LEVELS[2]

    def may(self, user: User, thing: Container | Document, level: str) -> bool:
        return LEVELS.index(self.access(user, thing)) >= LEVELS.index(level)

    # -- adding -------------------------------------------------------------------------------------------

    def add_workspace(
        self,
        library: str,
        name: str,
        owner: str = "ALICE",
        client: tuple[str, str] = ("", ""),
        matter: tuple[str, str] = ("", ""),
        security: Security | None = None,
        at: datetime | None = None,
    ) -> Container:
        number = self.take_number(library)
        custom = {"custom1": client[0], "custom1_description": client[1]}
        custom |= {"custom2": matter[0], "custom2_description": matter[1]}
        at = at or now()
        return self.put_container(
            Container(
                library,
                number,
                "workspace",
                name,
                None,
                number,
                owner,
                at,
                at,
                security=security or Security("public"),
                custom={key: value for key, value in custom.items() if value},
            )
        )

    def add_folder(
        self,
        parent: Container,
        name: str,
        owner: str = "",
        security: Security | None = None,
        description: str = "",
        at: datetime | None = None,
        folder_type: str = "regular",
        query: dict[str, str] | None = None,
    ) -> Container:
        """A folder of any `folder_type`; a search folder lists what its `query` finds."""
        at = at or now()
        return self.put_container(
            Container(
                parent.library,
                self.take_number(parent.library),
                "folder",
                name,
                parent.number,
                parent.workspace,
                owner or parent.owner,
                at,
                at,
                description,
                folder_type,
                security=security or Security(),
                query=query or {},
            )
        )

    def add_category(
        self,
        library: str,
        name: str,
        user: str,
        entries: Iterable[Container | Document],
        kind: str = "my_favorites",
    ) -> Category:
        """A category of a user's favourites (`my_favorites`) or My Matters (`my_matters`)."""
        keys = tuple(one.key for one in entries)
        made = Category(library, self.take_number(library), kind, name, user, keys)
        self.categories[made.key] = made
        return made

    def add_document(
        self,
        folder: Container,
        name: str,
        extension: str,
        content: Content | bytes,
        author: str = "",
        at: datetime | None = None,
        security: Security | None = None,
        email: Email | None = None,
        **profile: str,
    ) -> Document:
        at, author = at or now(), author or folder.owner
        version = Version(
            number=1,
            name=name,
            extension=extension,
            type=type_of(extension),
            author=author,
            operator=author,
            last_user=author,
            created=at,
            edited=at,
            content=as_content(content),
            profile=profile,
            email=email,
        )
        return self.put_document(
            Document(
                folder.library,
                self.take_number(folder.library),
                (folder.number,),
                (version,),
                security=security or Security(),
                history=(Activity("Create", 1, author, at, 1),),
            )
        )

    def add_version(
        self, document: Document, content: Content | bytes, user: str = "", at: datetime | None = None
    ) -> Document:
        """Add a version, as another user would."""
        with self.lock:
            current = self._documents[document.key]
            last, at = current.latest, at or now()
            user = user or last.author
            made = replace(
                last,
                number=last.number + 1,
                last_user=user,
                operator=user,
                created=at,
                edited=at,
                content=as_content(content),
            )
            line = Activity("Create Version", 3, user, at, made.number)
            return self.put_document(
                replace(current, versions=(*current.versions, made), history=(*current.history, line))
            )

    def set_lock(self, document: Document, lock: Lock | None) -> Document:
        with self.lock:
            return self.put_document(replace(self._documents[document.key], lock=lock))

    def add_activity(
        self, document: Document, activity: str, code: int, user: str, version: int, comments: str = ""
    ) -> None:
        """Add an entry to a document's history."""
        with self.lock:
            current = self._documents.get(document.key)
            if current:
                line = Activity(activity, code, user, now(), version, comments)
                self.put_document(replace(current, history=(*current.history, line)))


def _level(user: User, security: Security, owner: str) -> str:
    named = dict(security.trustees).get(user.id)
    if named is not None:
        return named
    if user.id == owner:
        return "full_access"
    if user.external:
        return "no_access"
    return {"public": "read_write", "view": "read"}.get(security.default, "no_access")
