"""Finds out the facts that need uploads, in a scratch folder, and deletes what it stored.

Every name begins with a mark of this run, so that what was stored is found again even if an answer was lost.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from . import profiles
from .documents import profile_part
from .errors import ImanageError
from .ids import VersionId, object_path
from .learning import Reading, id_of
from .learning_calls import Answer, Caller, Found, LearningStoppedError
from .server_facts import ASSUMED, ServerFacts
from .types import Endpoints
from .uploads import Multipart, Upload

NAME = "Counterpart learns"
ODD = "a:b?c"
UNHEARD_OF = "zzq"
MOST_TRIES = 6
FACTS = (
    "upload_status",
    "whole_answers",
    "comments",
    "version_comments",
    "new_fields_refused",
    "version_fields_refused",
    "stores_as_sent",
    "duplicate_names",
    "odd_names",
    "fallback_type",
    "deletes",
)


def learn(caller: Caller, endpoints: Endpoints, folder_id: str = "") -> Found:
    """Find out the facts of a server; those that need uploads only with a scratch folder. Never raises ImanageError.

    A run that could not end says why in `stopped`, and keeps what it found.
    """
    found = Found()
    try:
        Reading(caller, endpoints, found).run()
        if folder_id:
            Storing(caller, found, folder_id).run()
        else:
            found.unknown |= dict.fromkeys(FACTS, "This needs a scratch folder.")
    except ImanageError as error:
        found.stopped = error.sentence
    if caller.rate_headers:
        found.values["rate_headers"] = caller.rate_headers
    else:
        found.unknown["rate_headers"] = "The server never asked to wait."
    return found


class Storing:
    """The part of a run that stores, in one folder."""

    def __init__(self, caller: Caller, found: Found, folder_id: str) -> None:
        self.calls, self.found, self.folder_id = caller, found, folder_id
        self.mark = secrets.token_hex(6)
        self.facts: ServerFacts = ASSUMED.with_values(found.values)
        self._stored: list[VersionId] = []
        self._answer = Answer(0)

    def run(self) -> None:
        """All steps, then the removal of everything stored, whatever happened."""
        try:
            folder = self.calls.get(object_path("folders", self.folder_id), "the scratch folder")
            if not folder.row:
                raise LearningStoppedError("The scratch folder cannot be read.")
            self._store_and_compare()
        finally:
            self.calls.is_cleaning = True
            self._remove_all()
            self.found.unknown |= {
                name: "The scratch folder did not show it." for name in FACTS if name not in self.found.values
            }

    # -- steps ----------------------------------------------------------------------------------------------

    def _store_and_compare(self) -> None:
        mark = f"[{self.mark}]"
        upload = self._upload(f"{NAME} {self.mark}", mark)
        document = self._new("new_fields_refused", upload)
        if document is None:
            return
        self._comment(document, mark)
        self._unchanged(document, upload)
        again = self._send("POST", object_path("folders", self.folder_id, "documents"), upload, new=True)
        self._yes_or_no("duplicate_names", again)
        self._version(document)
        self._odd_name()
        self._fallback_type()

    def _new(self, fact: str, upload: Upload) -> VersionId | None:
        """Store a document, leaving out each field that the server refuses by name."""
        path = object_path("folders", self.folder_id, "documents")
        answer = self._without_refused(fact, "POST", path, upload, new=True)
        if not answer.is_success:
            return None
        self.found.values["upload_status"] = answer.status
        self._answer = answer
        return id_of(answer.row)

    def _without_refused(self, fact: str, method: str, path: str, upload: Upload, *, new: bool) -> Answer:
        refused: tuple[str, ...] = ()
        answer = Answer(0)
        for _ in range(MOST_TRIES):
            self.facts = self.facts.with_values({fact: refused})
            answer = self._send(method, path, upload, new=new)
            further = tuple(sorted(answer.refused_fields & _fields(self.facts, upload, new) - set(refused)))
            if answer.is_success or not answer.is_refusal or not further:
                break
            refused += further
        if answer.is_success:
            self.found.values[fact] = refused
        return answer

    def _comment(self, document: VersionId, mark: str) -> None:
        """Whether the mark in the comment is kept, in the profile and in the folder's list."""
        profile = self.calls.get(object_path("documents", str(document)), "the stored document")
        if not profile.row:
            return
        self._is_whole(self._answer, profile)
        if mark not in (profiles.text(profile.row, "comment") or ""):
            self.found.values["comments"] = "dropped"
            return
        rows = self._rows()
        listed = next((row for row in rows if id_of(row) == document), None)
        if listed is not None:
            kept = mark in (profiles.text(listed, "comment") or "")
            self.found.values["comments"] = "kept" if kept else "profile"

    def _is_whole(self, answer: Answer, profile: Answer) -> None:
        """Whether uploads, of a document and of a version, are answered with all that the profile says of them."""
        is_whole = _told(answer.row) == _told(profile.row)
        self.found.values["whole_answers"] = is_whole and self.found.values.get("whole_answers") is not False

    def _unchanged(self, document: VersionId, upload: Upload) -> None:
        whole = self.calls.get(object_path("documents", str(document), "download"), "the stored bytes")
        if whole.is_success:
            self.found.values["stores_as_sent"] = hashlib.sha256(whole.body).hexdigest() == upload.sha256

    def _version(self, document: VersionId) -> None:
        mark = f"[{self.mark} v]"
        id = str(document) if self.facts.versioned_ids else str(document.document)
        path = object_path("documents", id, "versions")
        upload = self._upload("", mark)
        answer = self._without_refused("version_fields_refused", "POST", path, upload, new=False)
        version = id_of(answer.row) if answer.is_success else None
        if version is None:
            return
        profile = self.calls.get(object_path("documents", str(version)), "the stored version")
        if profile.row:
            self._is_whole(answer, profile)
            kept = mark in (profiles.text(profile.row, "comment") or "")
            self.found.values["version_comments"] = kept

    def _odd_name(self) -> None:
        name = f"{NAME} {self.mark} {ODD}"
        upload = self._upload(name, "")
        answer = self._send("POST", object_path("folders", self.folder_id, "documents"), upload, new=True)
        if answer.is_refusal:
            self.found.values["odd_names"] = "refuse"
        elif document := id_of(answer.row) if answer.is_success else None:
            stored = self.calls.get(object_path("documents", str(document)), "the name that was stored")
            if stored.row:
                self.found.values["odd_names"] = "keep" if stored.row.get("name") == name else "replace"

    def _fallback_type(self) -> None:
        """The type of an extension that no library knows is that of a file without one, if it is accepted for it."""
        path = object_path("folders", self.folder_id, "documents")
        upload = replace(self._upload(f"{NAME} {self.mark} unknown", ""), extension=UNHEARD_OF)
        answer = self._send("POST", path, upload, new=True)
        code = profiles.text(answer.row, "type") if answer.is_success else None
        if not code:
            return
        self.facts = replace(self.facts, fallback_type=code)
        plain = replace(self._upload(f"{NAME} {self.mark} plain", ""), extension="")
        if self._send("POST", path, plain, new=True).is_success:
            self.found.values["fallback_type"] = code

    # -- storing and removing -------------------------------------------------------------------------------

    def _upload(self, name: str, comment: str) -> Upload:
        data = f"Counterpart learns how this iManage stores documents. {secrets.token_hex(8)}\n".encode()
        sha256 = hashlib.sha256(data).hexdigest()
        return Upload(name, "txt", len(data), sha256, lambda: io.BytesIO(data), comment or None)

    def _send(self, method: str, path: str, upload: Upload, *, new: bool) -> Answer:
        profile = _profile(self.facts, upload, new)
        answer = self.calls.send(
            method,
            f"{self.calls.base}/{path}",
            "an upload to the scratch folder",
            body=lambda: Multipart(profile, upload),
        )
        if answer.is_success and (stored := id_of(answer.row)) is not None:
            self._stored.append(stored)
        return answer

    def _yes_or_no(self, fact: str, answer: Answer) -> None:
        if answer.is_success or answer.is_refusal:
            self.found.values[fact] = answer.is_success

    def _rows(self) -> list[dict[str, Any]]:
        path = object_path("folders", self.folder_id, "documents")
        rows: list[dict[str, Any]] = []
        limit = min(500, self.facts.max_limit)
        for _ in range(4):
            params = {"limit": limit, "offset": len(rows)}
            page = self.calls.get(path, "the scratch folder’s documents", params=params).rows
            rows += page
            if len(page) < limit or not self.facts.has_pages:
                break
        return rows

    def _remove_all(self) -> None:
        """Delete every version stored, newest first, and what only the folder's list shows."""
        stored = sorted(set(self._stored), key=lambda id: (id.number, -id.version))
        kept = [str(id) for id in stored if not self._remove(id)]
        with suppress(ImanageError):
            for row in self._rows():
                found = profiles.document_or_none(row)
                if found is None or self.mark not in found.name or str(found.id) in kept:
                    continue
                if not self._remove(found.id):
                    kept.append(str(found.id))
        self.found.left_behind += kept

    def _remove(self, id: VersionId) -> bool:
        """Whether it is gone: a server may say yes and keep it, or refuse what is gone already."""
        path = object_path("documents", str(id))
        try:
            self.calls.send("DELETE", f"{self.calls.base}/{path}", "removal of what the run stored")
            is_gone = self.calls.get(path, "whether it is gone").is_refusal
        except ImanageError:
            return False
        self.found.values["deletes"] = is_gone
        return is_gone


def _told(row: dict[str, Any]) -> object:
    """What a save uses of a profile."""
    found = profiles.document_or_none(row)
    if found is None:
        return None
    same = (found.id, found.full_name, found.size, found.checksum)
    return (*same, found.latest, found.comment, found.url, found.created_at)


def _profile(facts: ServerFacts, upload: Upload, is_new: bool) -> dict[str, Any]:
    """The profile part as the client sends it."""
    if not is_new:
        return profile_part(facts, upload, {}, facts.version_fields_refused)
    named = {"name": upload.name}
    return profile_part(facts, upload, named, facts.new_fields_refused, inherit_profile_from_folder=True)


def _fields(facts: ServerFacts, upload: Upload, is_new: bool) -> set[str]:
    """The fields that can be left out: the others say what the document is."""
    profile = _profile(facts, upload, is_new)
    names = set(profile) | set(profile["doc_profile"])
    return names - {"name", "extension", "doc_profile"}
