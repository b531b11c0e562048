"""The fields of a form after which something lands in a matter: who can see it."""

from __future__ import annotations

import uuid

from wtforms import StringField

from blueprints.authorization import actor
from blueprints.forms_base import BaseForm
from services.matters import exposure


class ExposureFields(BaseForm):
    """Drawn by matters/_exposure.html with an exposure.Question. `readers` is the key of the guests that it named."""

    exposure = StringField()
    readers = StringField()

    def is_held(self, matter_id: uuid.UUID, *document_ids: uuid.UUID) -> bool:
        """Whether what lands is held. Raises InvalidError where the question has to be answered first."""
        choice, names = self.exposure.data or "", self.readers.data or ""
        return exposure.decide(actor(), matter_id, document_ids, choice, names)
