"""The forms of matters, documents and versions."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import StringField

from blueprints.forms_base import BaseForm, LineField
from services.matters.matters import MatterDetails

FILE_REQUIRED = "Choose a file."


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


class DocumentForm(BaseForm):
    """One or more files, each of which becomes a document."""

    file = MultipleFileField("File", [FileRequired(FILE_REQUIRED)])


class VersionForm(BaseForm):
    """One file that becomes the next version."""

    file = FileField("File", [FileRequired(FILE_REQUIRED)])
    note = LineField("Note", "a note", 500, required=False)


class SameFileForm(BaseForm):
    """Confirms adding a file that is identical to an existing version."""

    file_name = StringField("File")
    note = LineField("Note", "a note", 500, required=False)


class DocumentNameForm(BaseForm):
    """A document's name without its extension. The service validates it."""

    name = StringField("Name", filters=[lambda name: (name or "").strip()])
