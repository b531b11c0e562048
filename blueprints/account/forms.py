"""The form of the Account page."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import DataRequired

from blueprints.forms_base import BaseForm


class PasswordForm(BaseForm):
    """The new password is entered once: browsers can show it, and an admin can reset it."""

    current = PasswordField("Current password", [DataRequired("Enter your current password.")])
    new = PasswordField("New password", [DataRequired("Enter a new password.")])
