"""The practice data: the same users, matters, folders and documents, with the same numbers, on every start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from simulator.contents import Generated, Known, Sample, large_pdf
from simulator.matters import ACTIVE, KNOWLEDGE, Matter
from simulator.values import App, Container, Document, Library, Lock, Security, User
from simulator.world import World

PEOPLE = (
    ("ALICE", "Alice Archer", False),
    ("BRAM", "Bram de Vries", False),
    ("CAROL", "Carol Okonkwo", False),
    ("DMITRI", "Дмитрий Соколов", False),
    ("EMI", "田中 恵美", False),
    ("FARID", "فريد منصور", True),
)
FOLDERS = {
    "Correspondence": ("Letter to the other side", "Letter of engagement", "Note of call"),
    "Drafts": ("Heads of terms", "Share purchase agreement", "Deed of indemnity"),
    "Searches": ("Company search", "Land registry search"),
    "Executed documents": ("Board minutes", "Signature pages"),
}
SUBFOLDERS = {"Drafts": ("Comments received", "Superseded"), "Correspondence": ("Client", "Counterparty")}
FORMS = ("docx", "docx", "pdf", "xlsx", "docx", "pdf", "txt")
START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
MANY = 3000
LARGE = (
    ("Data room index", 10 << 20, "3ef38f6f1bdc0a1036f2c26afd697b5c8fe86500204b5231f28ba71c229f6a50"),
    ("Disclosure bundle", 100 << 20, "6bbd27eefcebfd22a0d9e2ff8a89ef663d7759a57c4dd5969dce37f4bc552d77"),
    ("Trial bundle", 250 << 20, "e9579b8ccf77ca898b97beb7af42a7921f5aa2289e754c09e9d272c70491669a"),
)
GIB = Known(Generated(1 << 30, 77), "543e7d85bfc6e81c12114b081114b88b0e28da29881c6660ebf4f2c2f16845c2")


def practice_password(user_id: str) -> str:
    """Not secret: passwords are shown on the sign-in page."""
    return f"{user_id.lower()}-practice"


def practice_app(
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1:8000/auth/v0/oauth2/authorized",),
    client_id: str = "counterpart-practice",
    client_secret: str = "",
) -> App:
    return App(
        client_id, client_secret or practice_password(client_id), redirect_uris, "Counterpart (practice)"
    )


def practice_world(app: App | None = None) -> World:
    users = [
        User(
            id=name,
            password=practice_password(name),
            full_name=full,
            email=f"{name.lower()}@practice.example",
            number=number,
            external=external,
            preferred_library="Active",
        )
        for number, (name, full, external) in enumerate(PEOPLE, 101)
    ]
    world = World(users, [app or practice_app()])
    world.add_library(Library("Active", "Active matters", hidden_from=("DMITRI",)), 1001)
    world.add_library(Library("Knowledge", "Precedents and know-how"), 2001)
    seeding = _Seeding(world)
    for library, matters in (("Active", ACTIVE), ("Knowledge", KNOWLEDGE)):
        for number, matter in enumerate(matters):
            seeding.matter(library, number, matter)
    seeding.special(world.folder("Project Heron"))
    seeding.categories()
    seeding.restricted_matters()
    return world


class _Seeding:
    def __init__(self, world: World) -> None:
        self.world = world
        self.random = Random(2026)
        self.count = 0

    def at(self) -> datetime:
        """Timestamps that advance with each object created."""
        self.count += 1
        return START + timedelta(minutes=29 * self.count % (150 * 24 * 60), seconds=self.count % 60)

    def matter(self, library: str, number: int, matter: Matter) -> None:
        owner = ("ALICE", "BRAM", "CAROL")[number % 3]
        made = self.world.add_workspace(
            library,
            matter.name,
            owner,
            (matter.client_number, matter.client),
            (matter.number, matter.name),
            at=self.at(),
        )
        for name, titles in FOLDERS.items():
            folder = self.world.add_folder(made, name, at=self.at())
            for title in titles:
                self.document(folder, f"{title} – {matter.name}", matter)
            for below in SUBFOLDERS.get(name, ()):
                inner = self.world.add_folder(folder, below, at=self.at())
                self.document(inner, f"{below} {number + 1} – {matter.client}", matter)
        if number % 3 == 0:
            self.world.favourites["ALICE"].append(made.key)
            self.world.favourites["BRAM"].append(made.key)

    def document(self, folder: Container, name: str, matter: Matter | None = None) -> Document:
        form = FORMS[self.count % len(FORMS)]
        text = f"{matter.client} {matter.client_number}/{matter.number}" if matter else ""
        author = self.random.choice(("ALICE", "BRAM", "CAROL"))
        made = self.world.add_document(folder, name, form, Sample(form, name, text), author, self.at())
        if self.count % 5 == 0:
            made = self.world.add_version(
                made, Sample(form, name, f"{text}\nSecond version"), "BRAM", self.at()
            )
        return made

    def special(self, heron: Container) -> None:
        """Objects that tests and the demo find by name."""
        world, at = self.world, self.at
        drafts = world.folder("Drafts", "Active")
        spa = world.add_document(
            drafts, "SPA – Project Heron", "docx", Sample("docx", "SPA", "Version 1"), "ALICE", at()
        )
        spa = world.add_version(spa, Sample("docx", "SPA", "Version 2"), "BRAM", at())
        world.add_version(spa, Sample("docx", "SPA", "Version 3"), "ALICE", at())
        self.checked_out(drafts)
        self.large(world.add_folder(heron, "Data room", at=at()))
        many = world.add_folder(heron, "Disclosure", description="3,000 documents", at=at())
        for number in range(1, MANY + 1):
            name = f"Disclosure {number:04d}"
            world.add_document(many, name, "txt", Sample("txt", name), "CAROL", at())
        world.add_folder(heron, "Empty folder", at=at())
        long = "A folder whose name tells the whole history of the matter, " * 4
        folder = world.add_folder(heron, long[:250].strip(), at=at())
        world.add_document(
            folder, ("Long name " * 25).strip(), "docx", Sample("docx", "Long name"), "ALICE", at()
        )
        scripts = world.add_folder(heron, "Names in several scripts", at=at())
        for name in ("Überweisungsträger – façade", "Договор купли-продажи", "اتفاقية شراء الأسهم", "股份购买协议",
                     "株式譲渡契約書", "Σύμβαση αγοραπωλησίας", "Δ café é (composed and not)"):  # fmt: skip
            for form in ("docx", "pdf"):
                world.add_document(scripts, name, form, Sample(form, name), "EMI", at())
        read_only = world.add_folder(heron, "Read only", security=Security("view"), at=at())
        world.add_document(read_only, "Closing bible", "pdf", Sample("pdf", "Closing bible"), "CAROL", at())
        empty = world.add_folder(heron, "Odd files", at=at())
        world.add_document(empty, "Empty file", "txt", b"", "ALICE", at())
        world.add_document(empty, "No extension", "", Sample("", "No extension"), "ALICE", at())
        world.add_document(empty, "Archive.tar", "gz", Sample("gz", "Two extensions"), "ALICE", at())

    def categories(self) -> None:
        """A category of Alice's favourites, with a workspace and a document."""
        lease, spa = self.world.folder("Harbour lease"), self.world.named("SPA – Project Heron")
        self.world.add_category("Active", "Live deals", "ALICE", [lease, spa])

    def checked_out(self, drafts: Container) -> None:
        for user, name in (
            ("CAROL", "Disclosure letter"),
            ("BRAM", "Tax deed"),
            ("ALICE", "Completion agenda"),
        ):
            made = self.world.add_document(drafts, name, "docx", Sample("docx", name), user, self.at())
            since = datetime(2026, 10, 2, 8, 30, tzinfo=UTC)
            self.world.set_lock(
                made, Lock(user, since, "Working on it", "2026-12-01", "LAPTOP", f"C:\\Work\\{name}.docx")
            )

    def large(self, folder: Container) -> None:
        for seed, (name, size, digest) in enumerate(LARGE, 70):
            content = Known(large_pdf(name, size, seed), digest)
            self.world.add_document(folder, name, "pdf", content, "CAROL", self.at())
        self.world.add_document(folder, "Server image (1 GiB)", "dat", GIB, "CAROL", self.at())

    def restricted_matters(self) -> None:
        """Two matters with an ethical wall, and one that is shared with an external user."""
        world = self.world
        for name, team in (("Project Kestrel", ("CAROL",)), ("Internal investigation", ("BRAM", "CAROL"))):
            found = world.folder(name)
            trustees = tuple((user, "full_access") for user in team)
            made = Container(**{**vars(found), "owner": team[0], "security": Security("private", trustees)})
            world.put_container(made)
        open_to_farid = world.folder("Harbour lease")
        shared = Security("public", (("FARID", "read"), ("EMI", "no_access")))
        world.put_container(Container(**{**vars(open_to_farid), "security": shared}))
