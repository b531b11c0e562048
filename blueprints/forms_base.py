"""The base of every form: cleaned input, and a place for the sentences that a service finds."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError

from services.core.errors import InvalidError
from services.core.text import normalise


class BaseForm(FlaskForm):
    """A form that can take a service's field errors beside its own."""

    def add_errors(self, refusal: InvalidError, *, keep_own: bool = False) -> None:
        """Put each sentence at its field; one without a field goes to the form as a whole.

        With `keep_own`, a field that the form itself has refused keeps that one sentence.
        """
        for name, sentence in refusal.fields.items():
            if keep_own and name in self._fields and self._fields[name].errors:
                continue
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, sentence]
            else:
                self.form_errors.append(sentence)


class LineField(StringField):
    """One line of text, its blanks tidied before anything judges it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = normalise.clean_line(valuelist[0]) if valuelist else ""


class Line:
    """A name that people read: its length, and nothing hidden in it."""

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
            raise ValidationError(
                f"Use {self.longest} characters or fewer. What you entered has {len(value)}."
            )
        if normalise.hidden_characters(value):
            raise ValidationError(
                "This contains an invisible character, such as a direction mark. Type it again."
            )
