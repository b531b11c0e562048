"""The base classes of forms, the field of one line, ids in forms, and what a switch posts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask import abort, request
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, StringField, ValidationError
from wtforms.validators import Optional

from services.core.errors import InvalidError
from services.core.text import normalise


def as_uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def as_uuids(texts: Iterable[str] | None) -> tuple[uuid.UUID, ...]:
    """Distinct ids in their order; invalid ones are left out."""
    return tuple(dict.fromkeys(each for text in texts or () if (each := as_uuid(text)) is not None))


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


class KeyedForm(BaseForm):
    """A form with an idempotency key, so that a second submit finds what the first created."""

    request_key = HiddenField()

    def validate_request_key(self, field: HiddenField) -> None:
        if as_uuid(field.data) is None:
            raise ValidationError("This form is incomplete. Open it again.")

    @property
    def key(self) -> uuid.UUID:
        key = as_uuid(self.request_key.data)
        assert key is not None
        return key


class LineField(StringField):
    """One line of text: `what` it is, with spaces normalised, of a length, and without invisible characters."""

    def __init__(self, label: str, what: str, longest: int, *, required: bool = True, **more: Any) -> None:
        super().__init__(label, **more)
        self.what, self.longest, self.flags.required = what, longest, required

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = normalise.clean_line(valuelist[0]) if valuelist else ""

    def pre_validate(self, form: FlaskForm) -> None:
        value = self.data or ""
        if self.flags.required and not value:
            raise ValidationError(f"Enter {self.what}.")
        if len(value) > self.longest:
            raise ValidationError(f"Use {self.longest} characters or fewer. You entered {len(value)}.")
        if normalise.hidden_characters(value):
            raise ValidationError(
                "This contains an invisible character, such as a direction mark. Type it again."
            )


class DayField(DateField):
    """A day that may be left out."""

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, [Optional()], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a date, such as 2026-12-31.") from None


def switched_on(name: str) -> bool:
    """Which way a `ui.switch` was pressed."""
    if (value := request.form.get(name)) not in {"0", "1"}:
        abort(400)
    return value == "1"
