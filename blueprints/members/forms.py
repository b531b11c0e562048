"""The form of Admin System > Members: a new member or guest."""

from __future__ import annotations

from wtforms import BooleanField, PasswordField, RadioField, SelectChoice

from blueprints.forms_base import BaseForm, Line, LineField
from services.email import LONGEST
from services.members import LONGEST_NAME, NewMember

MEMBER, GUEST = "member", "guest"


class AddMemberForm(BaseForm):
    """A password may be left out: one is made then. A typed one is judged by the service."""

    kind = RadioField(
        "Kind", choices=[SelectChoice(MEMBER, "Member"), SelectChoice(GUEST, "Guest")], default=MEMBER
    )
    name = LineField("Name", [Line("a name", LONGEST_NAME)])
    email = LineField("Email", [Line("an e-mail address", LONGEST)])
    organisation = LineField("Organisation", [Line("an organisation", LONGEST_NAME, required=False)])
    is_admin = BooleanField("System Admin")
    password = PasswordField("Password")

    def command(self) -> NewMember:
        return NewMember(
            name=self.name.data,
            email=self.email.data,
            organisation=self.organisation.data,
            password=self.password.data or "",
            is_admin=self.is_admin.data,
            is_guest=self.kind.data == GUEST,
        )
