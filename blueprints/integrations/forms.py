"""Forms for servers: adding, changing, restricting and removing one, its credentials, and application packages."""

from __future__ import annotations

import uuid

from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from blueprints.forms_base import BaseForm, LineField
from services.core.text import normalise
from services.server_admin.credential_rotation import NewCredentials
from services.servers import addresses, registry, transport, validation
from services.servers.packages import packages
from services.servers.packages.packages import NewPackage
from services.servers.registry import NewServer, ServerChange
from services.servers.restriction import RestrictionChange
from services.servers.transport import CLOUD, ON_PREMISE

LONGEST_NAME = 100
LONGEST_CLIENT_ID = 200
LONGEST_SECRET = 500


class SecretField(PasswordField):
    """A secret: surrounding spaces are stripped, and it is never sent back to the page."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0].strip() if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        value = self.data or ""
        if len(value) > LONGEST_SECRET:
            raise ValidationError(f"Use {LONGEST_SECRET} characters or fewer.")
        if normalise.hidden_characters(value):
            raise ValidationError("This contains an invisible character. Copy the secret again.")


def server_name(_form: BaseForm, field: Field) -> None:
    if not field.errors and (problem := validation.name_problem(field.data)):
        raise ValidationError(problem)


class AddServerForm(BaseForm):
    """The kind decides which fields are used; values for the other kind are kept in hidden fields."""

    kind = RadioField(
        "Kind",
        choices=[SelectChoice(value=kind, label=label) for kind, label in registry.KINDS.items()],
        default=CLOUD,
        validate_choice=False,
    )
    name = LineField("Name", "a name", LONGEST_NAME, validators=[server_name])
    subdomain = StringField("Subdomain")
    url = StringField("URL")
    api_url = StringField("API URL")
    client_id = LineField("Client ID", "the Client ID", LONGEST_CLIENT_ID, required=False)
    client_secret = SecretField("Client Secret")
    package = HiddenField()
    package_client_id: str | None = None
    subdomain_notice = ""

    @property
    def is_cloud(self) -> bool:
        return bool(self.kind.data != ON_PREMISE)

    @property
    def asks_for_credentials(self) -> bool:
        return registry.asks_for_credentials(self.kind.data)

    @property
    def is_cloud_address(self) -> bool:
        """Whether an on-premise field contains an address of Cloud iManage."""
        return not self.is_cloud and any(
            addresses.is_cloud(field.data or "") for field in (self.url, self.api_url)
        )

    def switch_to_cloud(self) -> None:
        """Switch the form to Cloud iManage, with the subdomain from the address."""
        pasted = next(
            (each.data for each in (self.url, self.api_url) if addresses.is_cloud(each.data or "")),
            "",
        )
        self.kind.data = CLOUD
        self.subdomain.data = addresses.label_in(pasted)
        for field in (self.url, self.api_url):
            if addresses.is_cloud(field.data or ""):
                field.data = ""

    def validate_kind(self, field: Field) -> None:
        if field.data not in registry.KINDS:
            raise ValidationError("Choose Cloud iManage or On-premise.")

    def validate_subdomain(self, field: Field) -> None:
        if self.is_cloud:
            self._judge_address(field)

    def validate_url(self, field: Field) -> None:
        if not self.is_cloud:
            self._judge_address(field)

    def validate_api_url(self, field: Field) -> None:
        if not self.is_cloud and (field.data or "").strip():
            self._judge_address(field)

    @property
    def package_id(self) -> uuid.UUID | None:
        """The application package whose key and secret are used, if any."""
        return as_id(self.package.data or "")

    def validate_client_id(self, field: Field) -> None:
        if self.asks_for_credentials and not self.package_id and not field.data:
            raise ValidationError("Enter the Client ID from iManage.")

    def validate_client_secret(self, field: Field) -> None:
        if self.asks_for_credentials and not self.package_id and not field.data:
            raise ValidationError("Enter the Client Secret from iManage.")

    def notice(self, field: Field) -> str | None:
        """What was corrected in the address of this field, if anything."""
        if field.name == self.subdomain.name and self.subdomain_notice:
            return self.subdomain_notice
        return addresses.notice_about(self.kind.data, field.data or "")

    def reduce_to_subdomain(self) -> None:
        """Replace a pasted address by its subdomain, and keep the notice about it."""
        self.subdomain_notice = (self.notice(self.subdomain) if self.is_cloud else None) or ""
        if self.subdomain_notice:
            self.subdomain.data = addresses.label_in(self.subdomain.data or "")

    def command(self) -> NewServer:
        return NewServer(
            kind=self.kind.data or "",
            name=self.name.data or "",
            subdomain=self.subdomain.data or "",
            url=self.url.data or "",
            api_url=self.api_url.data or "",
            client_id=self.client_id.data or "",
            client_secret=self.client_secret.data or "",
            package_id=self.package_id,
        )

    def _judge_address(self, field: Field) -> None:
        if problem := addresses.problem_with(self.kind.data, field.data or ""):
            raise ValidationError(problem)


class ChangeServerForm(BaseForm):
    """Name and limits, which can be changed besides the credentials."""

    version = HiddenField()
    name = LineField("Name", "a name", LONGEST_NAME, validators=[server_name])
    at_once = IntegerField(
        "Documents at once",
        [
            Optional(),
            NumberRange(1, registry.MOST_AT_ONCE, f"Enter a number from 1 to {registry.MOST_AT_ONCE}."),
        ],
    )
    pace = IntegerField(
        "Documents a minute for each member",
        [
            Optional(),
            NumberRange(1, registry.MOST_PACE, f"Enter a number from 1 to {registry.MOST_PACE}."),
        ],
    )

    def command(self) -> ServerChange:
        return ServerChange(
            name=self.name.data or "",
            version=self.version.data or "",
            at_once=self.at_once.data,
            pace=self.pace.data,
        )


class PeopleField(Field):
    """The ids of listed members or groups; other values are ignored."""

    data: tuple[uuid.UUID, ...]

    def process_formdata(self, valuelist: list[str]) -> None:
        ids = (as_id(value) for value in valuelist)
        self.data = tuple(dict.fromkeys(each for each in ids if each))


def as_id(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


class RestrictionForm(BaseForm):
    """The switch and the list, saved together. `add` and `remove` change the list without saving it."""

    version = HiddenField()
    restricted = BooleanField("Restrict to specific members")
    member = PeopleField(default=())
    add = PeopleField(default=())
    remove = PeopleField(default=())
    q = StringField("Search members")
    pasted = TextAreaField("Emails")
    group = PeopleField("Groups", default=())

    @property
    def chosen(self) -> tuple[uuid.UUID, ...]:
        listed = dict.fromkeys((*self.member.data, *self.add.data))
        return tuple(each for each in listed if each not in self.remove.data)

    def command(self) -> RestrictionChange:
        return RestrictionChange(
            is_restricted=self.restricted.data,
            member_ids=self.chosen,
            version=self.version.data or "",
            group_ids=self.group.data,
        )


class RemoveServerForm(BaseForm):
    typed_name = LineField("Server name", "the server’s name", LONGEST_NAME, required=False)


class TextsField(Field):
    """Every value sent under this name, in order."""

    data: tuple[str, ...]

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = tuple(valuelist)


class RepointForm(BaseForm):
    """By library with links, `old` is its folded name, and `new` the library on the new server or ""."""

    target = HiddenField()
    old = TextsField(default=())
    new = TextsField(default=())
    copies_restriction = BooleanField("Copy the list of who can use it")

    @property
    def target_id(self) -> uuid.UUID | None:
        return as_id(self.target.data or "")

    @property
    def libraries(self) -> dict[str, str]:
        return dict(zip(self.old.data, self.new.data, strict=False))


class ConfirmRepointForm(BaseForm):
    typed_name = LineField("New server’s name", "the server’s name", LONGEST_NAME, required=False)


class PackageForm(BaseForm):
    """The application's details in the package. Key and secret are generated."""

    request_key = HiddenField()
    application_id = LineField("ID", "an ID", packages.LONGEST)
    name = LineField("Name", "a name", packages.LONGEST)
    publisher = LineField("Publisher", "the publisher", packages.LONGEST)
    organization = LineField("Organization", "your organization", packages.LONGEST)

    def validate_application_id(self, field: Field) -> None:
        if not field.errors and (problem := packages.problem_with_id(field.data)):
            raise ValidationError(problem)

    def command(self) -> NewPackage:
        return NewPackage(
            request_key=as_id(self.request_key.data or "") or uuid.uuid4(),
            application_id=self.application_id.data,
            name=self.name.data,
            publisher=self.publisher.data,
            organization=self.organization.data,
        )


class RouteForm(BaseForm):
    """Direct, through the proxy, or as the installation's settings say."""

    version = HiddenField()
    route = RadioField(
        "Route",
        choices=[
            SelectChoice(value=transport.DEFAULT, label="As set for this installation"),
            SelectChoice(value=transport.DIRECT, label="Direct"),
            SelectChoice(value=transport.THROUGH_PROXY, label="Through the proxy"),
        ],
        validate_choice=False,
    )


class CredentialsForm(BaseForm):
    """The new Client ID and Client Secret. `confirmed` is only shown where they could not be proven."""

    version = HiddenField()
    client_id = LineField("New Client ID", "the Client ID", LONGEST_CLIENT_ID, required=False)
    client_secret = SecretField("New Client Secret")
    confirmed = BooleanField("Replace them anyway")

    def command(self) -> NewCredentials:
        return NewCredentials(
            client_id=self.client_id.data,
            client_secret=self.client_secret.data,
            version=self.version.data or "",
            confirmed=self.confirmed.data,
        )
