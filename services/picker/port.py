"""The port of the picker: how a member finds documents to get, and a folder to save in. One implementation, our lists.

What is chosen leaves the pop-up as IDs of iManage, and of a document its signed row: nothing behind the pop-up knows
how it was chosen. iManage's own dialog would be another implementation; docs/imanage.md says what it needs.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Protocol

from imanage.ids import VersionId
from services.core.actor import Actor
from services.picker import browse, select_all
from services.picker.browse import Listing, Location
from services.picker.select_all import Selection


class Picker(Protocol):
    """Finds and selects as this member, who must be able to transfer in the matter and to use the server.

    Raises SignInNeededError and RemoteRefusedError.
    """

    def list_location(
        self, actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, location: Location
    ) -> Listing:
        """The rows of a location: containers to open, documents to choose."""

    def collect(
        self,
        actor: Actor,
        matter_id: uuid.UUID,
        server_id: uuid.UUID,
        location: Location,
        *,
        below: bool = False,
        after: Collection[VersionId] | None = None,
    ) -> Selection:
        """All documents of a location at once, with those `below` it; or the next ones `after` these."""


class Lists:
    """Counterpart's own pop-up, over the lists and searches of the API."""

    list_location = staticmethod(browse.list_location)
    collect = staticmethod(select_all.collect)


PICKER: Picker = Lists()
