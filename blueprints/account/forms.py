"""The forms of a person's own account."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import DataRequired

from blueprints.forms_base import BaseForm


class PasswordForm(BaseForm):
    """Typed once: a browser or a password manager shows what was typed, and an admin can make a new one."""

    current = PasswordField("Current password", [DataRequired("Enter your current password.")])
    new = PasswordField("New password", [DataRequired("Enter a new password.")])
