"""The in-memory records of the practice server: users, libraries, containers and documents.

Changes replace whole values under one lock, so that readers always see a consistent state.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from simulator.events import Events, container_changes, document_changes
from simulator.values import App, Category, Container, Document, Key, Library, Template, User

Watcher = Callable[[str, Key, Container | Document | None], None]


class Records:
    def __init__(self, users: Iterable[User] = (), apps: Iterable[App] = ()) -> None:
        self.lock = threading.RLock()
        self.name = "practice"
        self.watcher: Watcher | None = None
        self._users = {one.id.upper(): one for one in users}
        self._apps = {one.client_id: one for one in apps}
        self._libraries: dict[str, Library] = {}
        self._containers: dict[Key, Container] = {}
        self._documents: dict[Key, Document] = {}
        self._folders_in: dict[Key, dict[int, None]] = defaultdict(dict)
        self._documents_in: dict[Key, dict[int, None]] = defaultdict(dict)
        self._next: dict[str, int] = {}
        self.favourites: dict[str, list[Key]] = defaultdict(list)
        self.categories: dict[Key, Category] = {}
        self.templates: list[Template] = []
        self.trash: dict[Key, Document] = {}  # what was deleted, with the deleted versions only
        self.events = Events()

    # -- users and libraries -------------------------------------------------------------------------------------

    def add_user(self, user: User) -> User:
        self._users[user.id.upper()] = user
        return user

    def add_app(self, app: App) -> App:
        self._apps[app.client_id] = app
        return app

    def add_library(self, library: Library, first_number: int = 1001) -> Library:
        self._libraries[library.id.upper()] = library
        self._next.setdefault(library.id, first_number)
        return library

    def user(self, login: str) -> User | None:
        wanted = login.upper()
        by_id = self._users.get(wanted)
        return by_id or next((one for one in self._users.values() if one.email.upper() == wanted), None)

    def app(self, client_id: str) -> App | None:
        return self._apps.get(client_id)

    def library(self, name: str) -> Library | None:
        return self._libraries.get(name.upper())

    @property
    def users(self) -> list[User]:
        return list(self._users.values())

    @property
    def apps(self) -> list[App]:
        return list(self._apps.values())

    def libraries(self, user: User | None = None) -> list[Library]:
        return [one for one in self._libraries.values() if user is None or user.id not in one.hidden_from]

    # -- queries -------------------------------------------------------------------------------------------

    def container(self, library: str, number: int) -> Container | None:
        return self._containers.get((library, number))

    def document(self, library: str, number: int) -> Document | None:
        return self._documents.get((library, number))

    def containers(self, library: str) -> list[Container]:
        with self.lock:
            return [one for one in self._containers.values() if one.library == library]

    def documents(self, library: str) -> list[Document]:
        with self.lock:
            return [one for one in self._documents.values() if one.library == library]

    def workspaces(self, library: str) -> list[Container]:
        return [one for one in self.containers(library) if one.kind == "workspace"]

    def folders_in(self, parent: Container) -> list[Container]:
        with self.lock:
            return [self._containers[(parent.library, n)] for n in self._folders_in.get(parent.key, ())]

    def documents_in(self, folder: Container) -> list[Document]:
        with self.lock:
            return [self._documents[(folder.library, n)] for n in self._documents_in.get(folder.key, ())]

    def under(self, container: Container) -> Iterator[Container]:
        """The container and every folder below it."""
        yield container
        for folder in self.folders_in(container):
            yield from self.under(folder)

    def path(self, container: Container) -> list[Container]:
        """From the workspace down to the container."""
        found = [container]
        while found[0].parent is not None:
            found.insert(0, self._containers[(container.library, found[0].parent)])
        return found

    def folder(self, name: str, library: str | None = None) -> Container:
        """The first workspace or folder of that name. Raises KeyError."""
        with self.lock:
            for one in self._containers.values():
                if one.name == name and library in (None, one.library):
                    return one
        raise KeyError(name)

    def named(self, name: str, library: str | None = None) -> Document:
        """The first document of that name. Raises KeyError."""
        with self.lock:
            for one in self._documents.values():
                if one.latest.name == name and library in (None, one.library):
                    return one
        raise KeyError(name)

    # -- changing -----------------------------------------------------------------------------------------

    def take_number(self, library: str) -> int:
        with self.lock:
            number = self._next[library]
            self._next[library] = number + 1
            return number

    def next_number(self, library: str, number: int) -> int:
        """Set the number of the library's next document or container. Returns the previous one."""
        with self.lock:
            before, self._next[library] = self._next[library], number
            return before

    def put_container(self, container: Container) -> Container:
        with self.lock:
            old = self._containers.get(container.key)
            if old and old.parent is not None and old.parent != container.parent:
                self._folders_in[(old.library, old.parent)].pop(old.number, None)
            self._containers[container.key] = container
            if container.parent is not None:
                self._folders_in[(container.library, container.parent)][container.number] = None
            self._next[container.library] = max(self._next[container.library], container.number + 1)
            self._tell("container", container.key, container)
            self._log_container(old, container)
        return container

    def put_document(self, document: Document) -> Document:
        with self.lock:
            old = self._documents.get(document.key)
            for number in set(old.folders if old else ()) - set(document.folders):
                self._documents_in[(document.library, number)].pop(document.number, None)
            self._documents[document.key] = document
            for number in document.folders:
                self._documents_in[(document.library, number)][document.number] = None
            self._next[document.library] = max(self._next[document.library], document.number + 1)
            self._tell("document", document.key, document)
            if self.watcher:
                for action, related in document_changes(old, document):
                    self._log_document(action, document, related)
        return document

    def remove_document(self, document: Document) -> None:
        with self.lock:
            for number in document.folders:
                self._documents_in[(document.library, number)].pop(document.number, None)
            self._documents.pop(document.key, None)
            self._tell("document", document.key, None)
            if self.watcher:
                self._log_document("delete", document, None)

    # -- trash --------------------------------------------------------------------------------------------

    def put_in_trash(self, document: Document) -> None:
        """Keep deleted versions of a document; those of the same number are replaced."""
        with self.lock:
            held = self.trash.get(document.key)
            kept = {one.number: one for one in (*(held.versions if held else ()), *document.versions)}
            self._set_trash(replace(document, versions=tuple(kept[n] for n in sorted(kept)), lock=None))

    def take_from_trash(self, document: Document, number: int) -> None:
        with self.lock:
            rest = tuple(one for one in self.trash[document.key].versions if one.number != number)
            self._set_trash(replace(self.trash[document.key], versions=rest))

    def log_trash(self, action: str, document: Document) -> None:
        if self.watcher:
            self._log_document(action, document, None)

    def _set_trash(self, document: Document) -> None:
        if document.versions:
            self.trash[document.key] = document
        else:
            self.trash.pop(document.key, None)
        self._tell("trash", document.key, document if document.versions else None)

    def remove_folder(self, folder: Container) -> None:
        """Remove the folder and everything in it."""
        with self.lock:
            for child in self.folders_in(folder):
                self.remove_folder(child)
            for document in self.documents_in(folder):
                if document.folders == (folder.number,):
                    self.remove_document(document)
                else:
                    rest = tuple(n for n in document.folders if n != folder.number)
                    self.put_document(replace(document, folders=rest))
            if folder.parent is not None:
                self._folders_in[(folder.library, folder.parent)].pop(folder.number, None)
            self._containers.pop(folder.key, None)
            self._tell("container", folder.key, None)
            self._log_container(folder, None)

    def _log_container(self, old: Container | None, new: Container | None) -> None:
        thing = new or old
        if self.watcher and thing:
            for action, related in container_changes(old, new):
                self.events.add_container(action, thing, related)

    def _log_document(self, action: str, document: Document, related: Key | None) -> None:
        folder = self._containers.get((document.library, document.folders[0])) if document.folders else None
        self.events.add_document(action, document, related, folder.workspace if folder else None)

    def _tell(self, kind: str, key: Key, value: Container | Document | None) -> None:
        if self.watcher:
            self.watcher(kind, key, value)
