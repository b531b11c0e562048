"""The base class of forms, and fields with normalised text."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError

from services.core.errors import InvalidError
from services.core.text import normalise


class BaseForm(FlaskForm):
    """A form that can show the validation errors of a service."""

    def add_errors(self, refusal: InvalidError, *, keep_own: bool = False) -> None:
        """Add each error to its field, or to the form if it has no such field.

        With `keep_own`, fields that already have an error of the form keep only that.
        """
        for name, sentence in refusal.fields.items():
            if keep_own and name in self._fields and self._fields[name].errors:
                continue
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, sentence]
            else:
                self.form_errors.append(sentence)


class LineField(StringField):
    """One line of text, with spaces normalised before validation."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = normalise.clean_line(valuelist[0]) if valuelist else ""


class Line:
    """Validates one line of text: required, length, and no invisible characters."""

    def __init__(self, what: str, longest: int, required: bool = True) -> None:
        self.what = what
        self.longest = longest
        self.required = required
        self.field_flags = {"required": True} if required else {}

    def __call__(self, form: FlaskForm, field: Field) -> None:
        value = field.data or ""
        if self.required and not value:
            raise ValidationError(f"Enter {self.what}.")
        if len(value) > self.longest:
            raise ValidationError(f"Use {self.longest} characters or fewer. You entered {len(value)}.")
        if normalise.hidden_characters(value):
            raise ValidationError(
                "This contains an invisible character, such as a direction mark. Type it again."
            )
