"""The forms of matters, documents and versions."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import RadioField, SelectChoice, SelectField, StringField, TextAreaField

from blueprints.exposure_fields import ExposureFields
from blueprints.forms_base import BaseForm, DayField, LineField, as_uuid
from services.core.text.email_addresses import LONGEST
from services.directory.details import LONGEST_NAME
from services.matters.closing_index import LONGEST_TITLE as INDEX_TITLE
from services.matters.closing_index import EntryCommand
from services.matters.matters import MatterDetails
from services.matters.participants import end_of
from services.matters.undertakings import LONGEST_TITLE
from services.members.guests import NewGuest

FILE_REQUIRED = "Choose a file."
HELD = " Guests do not see it until someone releases it."


class MatterForm(BaseForm):
    """A matter's name and numbers."""

    name = LineField("Name", "a name", 200)
    client_number = LineField("Client number", "a client number", 50, required=False)
    matter_number = LineField("Matter number", "a matter number", 50, required=False)

    def details(self) -> MatterDetails:
        return MatterDetails(
            name=self.name.data or "",
            client_number=self.client_number.data or "",
            matter_number=self.matter_number.data or "",
        )


class GuestForm(BaseForm):
    """A guest to invite into a matter."""

    name = LineField("Name", "a name", LONGEST_NAME)
    email = LineField("Email", "an email address", LONGEST)
    organisation = LineField("Organisation", "an organisation", LONGEST_NAME)
    role = RadioField(
        "Role", choices=[SelectChoice("viewer", "Viewer"), SelectChoice("editor", "Editor")], default="viewer"
    )
    until = DayField("Access until")

    def command(self) -> NewGuest:
        return NewGuest(
            name=self.name.data or "",
            email=self.email.data or "",
            organisation=self.organisation.data or "",
            role=self.role.data,
            until=end_of(self.until.data),
        )


class UntilForm(BaseForm):
    until = DayField("Access until")


class UndertakingForm(BaseForm):
    """The service validates the text."""

    title = LineField("Title", "a title", LONGEST_TITLE)
    text = TextAreaField("Text")


class DocumentForm(ExposureFields):
    """One or more files, each of which becomes a document."""

    file = MultipleFileField("File", [FileRequired(FILE_REQUIRED)])


class VersionForm(ExposureFields):
    """One file that becomes the next version."""

    file = FileField("File", [FileRequired(FILE_REQUIRED)])
    note = LineField("Note", "a note", 500, required=False)


class HeadingForm(BaseForm):
    """A heading of the closing index."""

    title = LineField("Title", "a title", INDEX_TITLE)

    def command(self) -> EntryCommand:
        return EntryCommand(self.title.data or "", is_heading=True, document_id=None)


class IndexRowForm(BaseForm):
    """A row of the closing index. Without a title it gets the name of its document."""

    document = SelectField("Document")
    title = LineField("Title", "a title", INDEX_TITLE, required=False)

    def command(self) -> EntryCommand:
        return EntryCommand(self.title.data or "", is_heading=False, document_id=as_uuid(self.document.data))


class NoteForm(BaseForm):
    """The note of a version."""

    note = LineField("Note", "a note", 500, required=False)


class SameFileForm(BaseForm):
    """Confirms adding a file that is identical to an existing version. `held`: as was chosen with the file."""

    held = StringField()
    file_name = StringField("File")
    note = LineField("Note", "a note", 500, required=False)


class DocumentNameForm(BaseForm):
    """A document's name without its extension. The service validates it."""

    name = StringField("Name", filters=[lambda name: (name or "").strip()])
