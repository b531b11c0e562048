"""The forms of the pop-ups. The page sends only ids; names and facts are looked up here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask import request
from wtforms import SelectMultipleField, StringField, ValidationError
from wtforms.validators import AnyOf, Length

from blueprints.exposure_fields import ExposureFields
from blueprints.forms_base import BaseForm, KeyedForm, LineField, as_uuid, as_uuids
from blueprints.transfers import steps as path_steps
from services.core.text.normalise import clean_line
from services.transfers.bulk_save import SaveManyCommand
from services.transfers.decisions import CHOICES
from services.transfers.profile_forms import LONGEST_NAME, LONGEST_VALUE
from services.transfers.requests import (
    NEW_DOCUMENT,
    NEW_VERSION,
    OTHER_VERSION,
    REPLACE,
    SAVE_TARGETS,
    GetCommand,
    SaveCommand,
    sources_of,
    target_of,
)

LONGEST_NOTE = 500
ONTO_TWINS = "twins"
PROFILE = "profile_"
MANY_TARGETS = [ONTO_TWINS, REPLACE, NEW_DOCUMENT]
CHOICE_NAMES = sorted({name for choices in CHOICES.values() for name in choices})


def profile_of(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of a profile in a form: `profile_custom1` is iManage's custom1."""
    named = ((name.removeprefix(PROFILE), value) for name, value in given if name.startswith(PROFILE))
    return {name[:LONGEST_NAME]: clean_line(value)[:LONGEST_VALUE] for name, value in named}


class GetForm(KeyedForm, ExposureFields):
    source = SelectMultipleField(validate_choice=False)
    called = SelectMultipleField(validate_choice=False)
    document = StringField()
    older = StringField()

    def validate_document(self, field: StringField) -> None:
        if field.data and as_uuid(field.data) is None:
            raise ValidationError("We could not find this document.")

    def command(self, matter_id: uuid.UUID, server_id: uuid.UUID) -> GetCommand:
        """Raises InvalidError where it was not chosen who can see what arrives."""
        return GetCommand(
            request_key=self.key,
            matter_id=matter_id,
            server_id=server_id,
            sources=sources_of(self.source.data or ()),
            document_id=as_uuid(self.document.data),
            called=tuple(self.called.data or ()),
            older_becomes_current=self.older.data == "current",
            is_held=self.is_held(matter_id, *as_uuids([self.document.data or ""])),
        )


class SaveForm(KeyedForm):
    target = StringField(
        validators=[AnyOf([*SAVE_TARGETS, OTHER_VERSION], message="Choose how to save the document.")]
    )
    folder = StringField(validators=[Length(max=300)])
    onto = StringField(validators=[Length(max=300)])
    twin = StringField(validators=[Length(max=300)])
    name = LineField("Name", "a name", 200, required=False)
    extension = LineField("File type", "a file type", 20, required=False)
    note = LineField("Version note", "a note", LONGEST_NOTE, required=False)
    accept = SelectMultipleField(validate_choice=False)

    def validate_folder(self, field: StringField) -> None:
        if self.target.data == NEW_DOCUMENT and not field.data:
            raise ValidationError("Choose a folder.")

    def validate_onto(self, field: StringField) -> None:
        if self.target.data == OTHER_VERSION and not field.data:
            raise ValidationError("Choose the document to add a version to.")

    def validate_twin(self, field: StringField) -> None:
        if self.target.data in {NEW_VERSION, REPLACE} and not field.data:
            raise ValidationError("Choose the iManage document to save to.")

    def command(self, document_id: uuid.UUID, server_id: uuid.UUID) -> SaveCommand:
        kind = self.target.data or ""
        id = {NEW_DOCUMENT: self.folder.data, OTHER_VERSION: self.onto.data}.get(kind, self.twin.data)
        return SaveCommand(
            request_key=self.key,
            document_id=document_id,
            server_id=server_id,
            target=target_of(NEW_VERSION if kind == OTHER_VERSION else kind, id or ""),
            name=self.name.data or "",
            note=self.note.data or "",
            extension=(self.extension.data or "").lstrip("."),
            profile=profile_of(request.form.items()),
            workspace_id=path_steps.workspace_of(path_steps.parse_all(request.form.getlist("step"))),
        )


class SaveManyForm(KeyedForm):
    document = SelectMultipleField(validate_choice=False)
    target = StringField(validators=[AnyOf(MANY_TARGETS, message="Choose how to save the documents.")])
    folder = StringField(validators=[Length(max=300)])
    note = LineField("Version note", "a note", LONGEST_NOTE, required=False)
    accept = SelectMultipleField(validate_choice=False)
    held = SelectMultipleField(validate_choice=False)

    def validate_document(self, field: SelectMultipleField) -> None:
        if any(as_uuid(each) is None for each in field.data or ()):
            raise ValidationError("We could not find one of these documents.")

    def command(self, matter_id: uuid.UUID, server_id: uuid.UUID) -> SaveManyCommand:
        return SaveManyCommand(
            request_key=self.key,
            matter_id=matter_id,
            server_id=server_id,
            document_ids=as_uuids(self.document.data),
            onto_twins=self.target.data != NEW_DOCUMENT,
            replaces=self.target.data == REPLACE,
            folder_id=self.folder.data or "",
            note=self.note.data or "",
            accepted=tuple(self.accept.data or ()),
            held=as_uuids(self.held.data),
            profile=profile_of(request.form.items()),
            workspace_id=path_steps.workspace_of(path_steps.parse_all(request.form.getlist("step"))),
        )


class RetryForm(KeyedForm):
    pass


class DecideForm(KeyedForm):
    choice = StringField(validators=[AnyOf(CHOICE_NAMES, message="Choose what to do.")])


def first_error(form: BaseForm) -> str:
    """The first error of a form."""
    sentences = [sentence for errors in form.errors.values() for sentence in errors]
    return str(sentences[0]) if sentences else "Check what you entered."
