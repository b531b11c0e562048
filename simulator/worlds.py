"""Worlds from a YAML file: users, applications, libraries with everything in them, and the settings to start with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from simulator.contents import Content, Generated, Inline, Sample
from simulator.doctypes import CLASSES
from simulator.fields import FILTERS
from simulator.seed import practice_app, practice_password
from simulator.settings import Settings
from simulator.values import (
    LEVELS,
    App,
    Container,
    Document,
    Email,
    Library,
    Lock,
    Security,
    Template,
    User,
)
from simulator.world import World
from simulator.world_file import Item, Reader

START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
EXAMPLE = Path(__file__).with_name("worlds") / "example.yaml"


@dataclass(frozen=True)
class Loaded:
    world: World
    settings: Settings


def load_world(path: Path | str) -> Loaded:
    """The world that a file describes. Raises WorldError with every problem and its line."""
    return _Builder(Path(path)).build()


class _Builder:
    def __init__(self, path: Path) -> None:
        self.path, self.reader = path, Reader(path)
        self.world = World()
        self.settings = Settings()
        self.count = 0

    def build(self) -> Loaded:
        root = self.reader.read()
        self.world.name = root.text("name", self.path.stem)
        for item in root.items("users"):
            self._user(item)
        for item in root.items("applications"):
            self._app(item)
        if not root.items("applications"):
            self.world.add_app(practice_app())
        for item in root.items("libraries"):
            self._library(item)
        for item in root.items("favourites"):
            self._favourite(item)
        for item in root.items("categories"):
            self._category(item)
        try:
            self.settings.update(root["settings"] or {})
        except (ValueError, AttributeError) as error:
            self.reader.complain(root.lines.get("settings", 1), "settings", str(error))
        self.reader.finish()
        return Loaded(self.world, self.settings)

    def _at(self, item: Item) -> datetime:
        """The time that an item names, or one that advances with each object."""
        self.count += 1
        named: datetime | None = item["at"]
        return named or START + timedelta(minutes=self.count)

    def _complain(self, item: Item, key: str, text: str) -> None:
        self.reader.complain(item.lines.get(key, item.line), f"{item.where}.{key}", text)

    # -- users, applications, libraries ----------------------------------------------------------------------

    def _user(self, item: Item) -> None:
        name = item.text("id")
        if self.world.user(name):
            self._complain(item, "id", f"there are two users {name}")
            return
        self.world.add_user(
            User(
                id=name.upper(),
                password=item.text("password", practice_password(name)),
                full_name=item.text("name", name),
                email=item.text("email", f"{name.lower()}@practice.example"),
                number=len(self.world.users) + 101,
                external=item.flag("external"),
                allow_logon=item.flag("allow_logon", otherwise=True),
                preferred_library=item.text("library"),
            )
        )

    def _known_user(self, item: Item, key: str, otherwise: str = "") -> str:
        """The id of the user that a key names, as it is stored."""
        name = item.text(key, otherwise)
        return self._user_id(item, key, name) if name else ""

    def _user_id(self, item: Item, key: str, name: str) -> str:
        user = self.world.user(name)
        if user is None:
            self._complain(item, key, f"there is no user {name}")
        return user.id if user else name.upper()

    def _app(self, item: Item) -> None:
        name = item.text("client_id")
        self.world.add_app(
            App(
                client_id=name,
                client_secret=item.text("client_secret", practice_password(name)),
                redirect_uris=tuple(item["redirect_uris"] or practice_app().redirect_uris),
                name=item.text("name", name),
                refresh_allowed=item.flag("refresh_allowed", otherwise=True),
                public=item.flag("public"),
            )
        )

    def _library(self, item: Item) -> None:
        name = item.text("id")
        if self.world.library(name):
            self._complain(item, "id", f"there are two libraries {name}")
            return
        hidden = tuple(self._user_id(item, "hidden_from", one) for one in item["hidden_from"] or ())
        first = item["first_number"] or 1000 * len(self.world.libraries()) + 1001
        self.world.add_library(Library(name, item.text("description"), hidden), first)
        for one in item.items("templates"):
            made = Template(name, one.text("id"), one.text("name"), one.text("description"))
            self.world.templates.append(made)
        for one in item.items("workspaces"):
            self._workspace(name, one)

    # -- containers ----------------------------------------------------------------------------------------------

    def _security(self, item: Item, default: str = "inherit") -> Security:
        given: Item | None = item["security"]
        if given is None:
            return Security(default)
        trustees = []
        for user, level in (given["trustees"] or {}).items():
            if level not in LEVELS:
                self._complain(given, "trustees", f"{level!r} is not one of {', '.join(LEVELS)}")
            trustees.append((self._user_id(given, "trustees", user), level))
        return Security(given.text("default", default), tuple(trustees))

    def _workspace(self, library: str, item: Item) -> None:
        made = self.world.add_workspace(
            library,
            item.text("name"),
            self._known_user(item, "owner"),
            _numbered(item["client"]),
            _numbered(item["matter"]),
            self._security(item, "public"),
            self._at(item),
        )
        for one in item.items("folders"):
            self._folder(made, one)

    def _folder(self, parent: Container, item: Item) -> None:
        kind, query = item.text("type", "regular"), item["query"] or {}
        if (kind == "search") is not bool(query):
            self._complain(item, "type", "a search folder, and only that, has a query")
        for name in query:
            if name not in FILTERS["document"]:
                self._complain(item, "query", f"{name} is not a filter for documents")
        made = self.world.add_folder(
            parent,
            item.text("name"),
            self._known_user(item, "owner"),
            self._security(item),
            item.text("description"),
            self._at(item),
            kind,
            query,
        )
        for one in item.items("folders"):
            self._folder(made, one)
        for one in item.items("documents"):
            self._document(made, one)
        for one in item.items("emails"):
            self._email(made, one)

    # -- documents -----------------------------------------------------------------------------------------------

    def _content(self, item: Item, name: str, extension: str) -> Content:
        given = [key for key in ("text", "file", "size") if item[key] is not None]
        if len(given) > 1:
            self._complain(item, given[1], f"either {given[0]} or {given[1]}, not both")
        if item["size"] is not None:
            return Generated(item["size"], self.count)
        if not item["file"]:
            return Sample(extension, name, item.text("text"))
        try:
            return Inline((self.path.parent / item.text("file")).read_bytes())
        except OSError as error:
            self._complain(item, "file", str(error.strerror))
            return Inline(b"")

    def _document(self, folder: Container, item: Item) -> None:
        name, extension = item.text("name"), item.text("extension").lstrip(".").lower()
        class_ = item.text("class", "DOC").upper()
        if class_ not in CLASSES:
            self._complain(item, "class", f"there is no class {class_}; known: {', '.join(CLASSES)}")
        author, at = self._known_user(item, "author"), self._at(item)
        made = self.world.add_document(
            folder, name, extension, self._content(item, name, extension), author, at, self._security(item)
        )
        first = replace(
            made.latest,
            class_=class_,
            subclass=item.text("subclass").upper(),
            comment=item.text("comment"),
            profile=dict(item["profile"] or {}),
        )
        made = self.world.put_document(replace(made, versions=(first,), declared=item.flag("declared")))
        for one in item.items("versions"):
            made = self._version(made, one)
        if holder := self._known_user(item, "checked_out_by"):
            self.world.set_lock(made, Lock(holder, self._at(item), "Checked out"))

    def _version(self, document: Document, item: Item) -> Document:
        last = document.latest
        content = self._content(item, last.name, last.extension)
        made = self.world.add_version(document, content, self._known_user(item, "author"), self._at(item))
        newest = replace(made.latest, comment=item.text("comment"))
        return self.world.put_document(replace(made, versions=(*made.versions[:-1], newest)))

    def _email(self, folder: Container, item: Item) -> None:
        if item["sent"] is None:
            return
        email = Email(
            sender=item.text("from"),
            to=item.text("to"),
            subject=item.text("subject"),
            sent=item["sent"],
            received=item["received"] or item["sent"],
            cc=item.text("cc"),
            bcc=item.text("bcc"),
            conversation=item.text("conversation"),
            has_attachment=item.flag("attachment"),
        )
        content = Inline(message(email, item.text("text")))
        author = self._known_user(item, "author")
        self.world.add_document(folder, email.subject, "eml", content, author, email.received, email=email)

    # -- favourites ----------------------------------------------------------------------------------------------

    def _entry(self, item: Item, key: str, path: str) -> Container | Document | None:
        """The workspace, folder or document at a path of names: `Project Heron/Drafts/Deed`."""
        library = self.world.library(item.text("library"))
        found: Container | Document | None = None
        if library:
            level: list[Container | Document] = [*self.world.workspaces(library.id)]
            for name in path.split("/"):
                found = next((one for one in level if _name(one) == name), None)
                inside = found if isinstance(found, Container) else None
                level = [*self.world.folders_in(inside), *self.world.documents_in(inside)] if inside else []
        if found is None:
            self._complain(item, key, f"there is no {path!r} in {item.text('library')}")
        return found

    def _favourite(self, item: Item) -> None:
        user, entry = self._known_user(item, "user"), self._entry(item, "entry", item.text("entry"))
        if entry:
            self.world.favourites[user].append(entry.key)

    def _category(self, item: Item) -> None:
        entries = [self._entry(item, "entries", path) for path in item["entries"] or ()]
        user, library = self._known_user(item, "user"), self.world.library(item.text("library"))
        if library is None:
            self._complain(item, "library", f"there is no library {item.text('library')}")
            return
        kind = item.text("kind", "my_favorites")
        self.world.add_category(library.id, item.text("name"), user, [e for e in entries if e], kind)


def _numbered(given: Item | None) -> tuple[str, str]:
    return (given.text("number"), given.text("name")) if given else ("", "")


def _name(one: Container | Document) -> str:
    return one.name if isinstance(one, Container) else one.latest.name


def message(email: Email, text: str) -> bytes:
    """The e-mail as a file (RFC 5322)."""
    made = EmailMessage()
    headers = {"From": email.sender, "To": email.to, "Cc": email.cc, "Subject": email.subject}
    for name, value in headers.items():
        if value:
            made[name] = value
    made["Date"] = format_datetime(email.sent)
    made.set_content(f"{text}\n\nPractice e-mail. Not a real matter.\n")
    return bytes(made)
