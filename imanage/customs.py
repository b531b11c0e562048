"""Values of custom fields, which a library keeps in tables."""

from __future__ import annotations

from .client import Client
from .errors import BadIdError, ForbiddenError, NotFoundError, RejectedError
from .ids import library_path

_MISSING = "NRC_NO_RECORD"


def has_value(client: Client, library: str, field: str, value: str) -> bool:
    """Whether a library has this value of a custom field. One call.

    Only a clear no counts: a server without such a call leaves the answer to the save.
    """
    try:
        client.data("GET", library_path(library, "customs", field, value))
    except NotFoundError as error:
        return error.remote_code != _MISSING
    except (BadIdError, ForbiddenError, RejectedError):
        return True
    return True
