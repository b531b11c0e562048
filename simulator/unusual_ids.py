"""A library and two users whose ids contain a space, a backslash or characters that are special in URLs."""

from __future__ import annotations

from simulator.contents import Sample
from simulator.seed import practice_password
from simulator.values import Library, User
from simulator.world import World

LIBRARY = "Legal Team"
DOMAIN_USER, SPACED_USER = "firm\\dlee", "j smith"
WORKSPACE, FOLDER, DOCUMENT = "Fees & disbursements", "Bills #1", "Bill of costs"


def add_unusual(world: World) -> None:
    """Add them. Idempotent."""
    if world.library(LIBRARY):
        return
    for user in (DOMAIN_USER, SPACED_USER):
        world.add_user(User(user, practice_password(user), user, preferred_library=LIBRARY))
    world.add_library(Library(LIBRARY, "A library with a space"), 501)
    workspace = world.add_workspace(LIBRARY, WORKSPACE, DOMAIN_USER, ("100%", "Costs"), ("7?", "Bills"))
    folder = world.add_folder(workspace, FOLDER)
    world.add_document(folder, DOCUMENT, "docx", Sample("docx", DOCUMENT), DOMAIN_USER)
    for user in (DOMAIN_USER, SPACED_USER):
        world.favourites[user].append(workspace.key)
