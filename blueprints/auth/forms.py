"""Forms of people who are not signed in: sign-in, set-up and joining."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import DataRequired

from blueprints.forms_base import BaseForm, LineField
from services.core.text.email_addresses import LONGEST
from services.directory.details import LONGEST_NAME
from services.directory.people import NewMember

LONGEST_CODE = 100


class SignInForm(BaseForm):
    email = LineField("Email", "your email address", LONGEST)
    password = PasswordField("Password", [DataRequired("Enter your password.")])


class SetUpForm(BaseForm):
    """The service validates the password."""

    code = LineField("Set-up code", "the set-up code", LONGEST_CODE)
    name = LineField("Name", "your name", LONGEST_NAME)
    email = LineField("Email", "your email address", LONGEST)
    password = PasswordField("Password", [DataRequired("Choose a password.")])

    def command(self) -> NewMember:
        return NewMember(
            name=self.name.data, email=self.email.data, password=self.password.data or "", is_admin=True
        )


class JoinForm(BaseForm):
    """The email address is that of the invitation and cannot be changed."""

    name = LineField("Name", "your name", LONGEST_NAME)
    password = PasswordField("Password", [DataRequired("Choose a password.")])
