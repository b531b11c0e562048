"""The form of Admin System > Groups: a group's name."""

from __future__ import annotations

from blueprints.forms_base import BaseForm, LineField
from services.members.groups import LONGEST_NAME


class GroupForm(BaseForm):
    name = LineField("Name", "a name", LONGEST_NAME)
