"""`python -m bench.practice`: migrate the installation that the environment names, and switch on a practice server."""

from __future__ import annotations

from app import create_app
from commands import migrations
from services.core.actor import SYSTEM, Actor
from services.core.unit_of_work import unit_of_work
from services.directory import people
from services.servers import practice, registry


def main() -> None:
    with create_app().app_context():
        migrations.upgrade()
        with unit_of_work():
            ada = people.create(
                SYSTEM, people.NewMember("Ada", "ada@firm.example", "a-passing-installation", is_admin=True)
            )
            admin = Actor(ada.id, ada.name, ada.email, is_admin=True)
        registry.set_enabled(admin, practice.add(admin).id, True)


if __name__ == "__main__":
    main()
