"""The forms of the Drift tab. The page sends ids; names and states are looked up."""

from __future__ import annotations

import uuid

from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from blueprints.exposure_fields import ExposureFields
from blueprints.forms_base import BaseForm, KeyedForm, LineField, as_uuid, as_uuids
from services.drift.decisions import COPY_CHOICES, IGNORE, LONGEST_REASON, DecideCommand
from services.drift.getting import GetNewerCommand
from services.drift.linking import LinkCommand


class DocumentsForm(BaseForm):
    """Documents of a matter, by ids."""

    document = SelectMultipleField(validate_choice=False)

    def validate_document(self, field: SelectMultipleField) -> None:
        if not field.data or any(as_uuid(each) is None for each in field.data):
            raise ValidationError("Choose at least one document.")

    @property
    def documents(self) -> tuple[uuid.UUID, ...]:
        return as_uuids(self.document.data)


class GetNewerForm(KeyedForm, DocumentsForm, ExposureFields):
    def command(self, matter_id: uuid.UUID, server_id: uuid.UUID) -> GetNewerCommand:
        """Raises InvalidError where it was not chosen who can see what arrives."""
        is_held = self.is_held(matter_id, *self.documents)
        return GetNewerCommand(self.key, matter_id, server_id, self.documents, is_held)


class DecideForm(DocumentsForm):
    """`seen`: the state of each document that the pop-up showed."""

    seen = SelectMultipleField(validate_choice=False)

    def decision(self, matter_id: uuid.UUID, server_id: uuid.UUID, choice: str, reason: str) -> DecideCommand:
        return DecideCommand(
            matter_id, server_id, self.documents, choice, reason, tuple(self.seen.data or ())
        )


class IgnoreForm(DecideForm):
    reason = LineField("Reason", "a reason", LONGEST_REASON)

    def command(self, matter_id: uuid.UUID, server_id: uuid.UUID) -> DecideCommand:
        return self.decision(matter_id, server_id, IGNORE, self.reason.data or "")


class AccessForm(DecideForm):
    choice = RadioField(
        "Our copy",
        choices=[SelectChoice(value, label) for value, label in COPY_CHOICES.items()],
        validators=[DataRequired("Choose what to do.")],
    )
    reason = LineField("Reason", "a reason", LONGEST_REASON, required=False)

    def command(self, matter_id: uuid.UUID, server_id: uuid.UUID) -> DecideCommand:
        return self.decision(matter_id, server_id, self.choice.data or "", self.reason.data or "")


class LinkForm(BaseForm):
    """`chosen`: one of the documents that were found."""

    reference = StringField("Link or number", validators=[Length(max=2000)])
    chosen = StringField(validators=[Length(max=300)])

    def validate_reference(self, field: StringField) -> None:
        if not (self.chosen.data or field.data or "").strip():
            raise ValidationError("Enter a link to the document in iManage, or its number.")

    def command(self, document_id: uuid.UUID, server_id: uuid.UUID) -> LinkCommand:
        return LinkCommand(document_id, server_id, self.chosen.data or self.reference.data or "")
