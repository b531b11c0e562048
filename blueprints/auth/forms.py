"""Forms of somebody who is not signed in: the sign-in, and the making of the first System Admin."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import DataRequired

from blueprints.forms_base import BaseForm, Line, LineField
from services.core.text.email_addresses import LONGEST
from services.directory.details import LONGEST_NAME
from services.directory.people import NewMember

LONGEST_CODE = 100


class SignInForm(BaseForm):
    email = LineField("Email", [Line("your e-mail address", LONGEST)])
    password = PasswordField("Password", [DataRequired("Enter your password.")])


class SetUpForm(BaseForm):
    """The new password is judged by the service, which knows the rules for all of them."""

    code = LineField("Set-up code", [Line("the set-up code", LONGEST_CODE)])
    name = LineField("Name", [Line("your name", LONGEST_NAME)])
    email = LineField("Email", [Line("your e-mail address", LONGEST)])
    password = PasswordField("Password", [DataRequired("Choose a password.")])

    def command(self) -> NewMember:
        return NewMember(
            name=self.name.data, email=self.email.data, password=self.password.data or "", is_admin=True
        )


class JoinForm(BaseForm):
    """The e-mail address is the invitation's own and cannot be changed."""

    name = LineField("Name", [Line("your name", LONGEST_NAME)])
    password = PasswordField("Password", [DataRequired("Choose a password.")])
