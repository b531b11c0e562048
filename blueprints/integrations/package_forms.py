"""Forms for the registration in iManage: an application package, and new credentials."""

from __future__ import annotations

import uuid

from wtforms import BooleanField, Field, HiddenField, ValidationError

from blueprints.forms_base import BaseForm, Line, LineField
from blueprints.integrations.forms import LONGEST_CLIENT_ID, Secret, SecretField, as_id
from services.server_admin.credential_rotation import NewCredentials
from services.servers.packages import packages
from services.servers.packages.packages import NewPackage


class ApplicationId:
    """Validates an application's ID."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        if not field.errors and field.data and (problem := packages.problem_with_id(field.data)):
            raise ValidationError(problem)


class PackageForm(BaseForm):
    """The application's details in the package. Key and secret are generated."""

    request_key = HiddenField()
    application_id = LineField("ID", [Line("an ID", packages.LONGEST), ApplicationId()])
    name = LineField("Name", [Line("a name", packages.LONGEST)])
    publisher = LineField("Publisher", [Line("the publisher", packages.LONGEST)])
    organization = LineField("Organization", [Line("your organization", packages.LONGEST)])

    def command(self) -> NewPackage:
        return NewPackage(
            request_key=as_id(self.request_key.data or "") or uuid.uuid4(),
            application_id=self.application_id.data,
            name=self.name.data,
            publisher=self.publisher.data,
            organization=self.organization.data,
        )


class CredentialsForm(BaseForm):
    """The new Client ID and Client Secret. `confirmed` is only shown where they could not be proven."""

    version = HiddenField()
    client_id = LineField("New Client ID", [Line("the Client ID", LONGEST_CLIENT_ID, required=False)])
    client_secret = SecretField("New Client Secret", [Secret()])
    confirmed = BooleanField("Replace them anyway")

    def command(self) -> NewCredentials:
        return NewCredentials(
            client_id=self.client_id.data,
            client_secret=self.client_secret.data,
            version=self.version.data or "",
            confirmed=self.confirmed.data,
        )
