"""A member who browses the practice iManage from a matter, and rows that mark documents in the picker."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from models import Document, Link, Matter, Participant
from services.core.actor import Actor
from services.core.unit_of_work import unit_of_work
from services.matters import adding
from simulator import Simulator
from tests.support.pages import Browser, Page, read


@dataclass(frozen=True)
class Desk:
    """Alice with a matter, signed in to the practice iManage."""

    browser: Browser
    actor: Actor
    practice: Simulator
    matter_id: uuid.UUID
    server_id: uuid.UUID

    @property
    def base(self) -> str:
        return f"/matters/{self.matter_id}/browse/{self.server_id}"

    def look(self, *steps: str, status: int = 200, **more: object) -> Page:
        query = {name: more.pop(name) for name in ("document", "saving") if name in more}
        response = self.browser.post(
            f"{self.base}?{urlencode(query)}", {"step": list(steps), **more}, htmx=True
        )
        assert response.status_code == status, response.get_data(as_text=True)
        return read(response, whole=False)

    def calls(self) -> list[str]:
        return [call.path for call in self.practice.requests]


def step(practice: Simulator, name: str, kind: str = "f") -> str:
    return f"{kind}:{practice.world.folder(name).id}:{name}"


def make_matter(actor: Actor, role: str = "lead") -> uuid.UUID:
    with unit_of_work() as writing:
        matter = Matter(id=uuid.uuid4(), name="Project Heron", search_key="heron", created_by_id=actor.id)
        writing.add(matter)
        writing.flush()
        writing.add(Participant(matter_id=matter.id, member_id=actor.id, role=role))
    return matter.id


def add_document(desk: Desk, name: str = "Lease.docx") -> uuid.UUID:
    with unit_of_work() as writing:
        added = adding.add(writing, desk.matter_id, desk.actor.id, name, "0" * 64, 3, origin="upload")
    return added.document_id


def link(desk: Desk, document_id: uuid.UUID, number: int, version: int, latest: int = 0) -> None:
    with unit_of_work() as writing:
        current = writing.get_one(Document, document_id).current_version_id
        writing.add(
            Link(
                server_id=desk.server_id,
                document_id=document_id,
                version_id=current,
                direction="got",
                library="Active",
                library_key="active",
                number=number,
                version=version,
                name="Lease.docx",
                url=f"{desk.practice.url}/work/link/d/Active!{number}.{version}",
                member_id=desk.actor.id,
                latest_version=latest or version,
            )
        )
