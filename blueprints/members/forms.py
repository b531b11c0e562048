"""The forms of Admin System > Members: a new member or guest, one invited, and a changed one."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, PasswordField, RadioField, SelectChoice

from blueprints.forms_base import BaseForm, LineField
from services.core.text.email_addresses import LONGEST
from services.directory.details import LONGEST_NAME, Details
from services.directory.people import NewMember
from services.members.invitations import NewInvitation

MEMBER, GUEST = "member", "guest"


class DetailsForm(BaseForm):
    """The details of an existing member or guest."""

    name = LineField("Name", "a name", LONGEST_NAME)
    email = LineField("Email", "an email address", LONGEST)
    organisation = LineField("Organisation", "an organisation", LONGEST_NAME, required=False)
    is_admin = BooleanField("System Admin")

    def details(self) -> Details:
        return Details(self.name.data, self.email.data, self.organisation.data, self.is_admin.data)


class InviteForm(BaseForm):
    """The invited person can enter the name themselves."""

    kind = RadioField(
        "Kind", choices=[SelectChoice(MEMBER, "Member"), SelectChoice(GUEST, "Guest")], default=MEMBER
    )
    email = LineField("Email", "an email address", LONGEST)
    name = LineField("Name", "a name", LONGEST_NAME, required=False)
    organisation = LineField("Organisation", "an organisation", LONGEST_NAME, required=False)

    def command(self) -> NewInvitation:
        is_guest = self.kind.data == GUEST
        return NewInvitation(self.email.data, self.name.data, self.organisation.data, is_guest)


class FileForm(BaseForm):
    file = FileField("CSV file", [FileRequired("Choose a file.")])


class ImportForm(BaseForm):
    invite = BooleanField("Invite new members and guests")


class AddMemberForm(DetailsForm):
    """Without a password, one is generated. The service validates an entered one."""

    kind = RadioField(
        "Kind", choices=[SelectChoice(MEMBER, "Member"), SelectChoice(GUEST, "Guest")], default=MEMBER
    )
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
