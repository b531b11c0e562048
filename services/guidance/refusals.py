"""The words of an error code, and the refusal made of them."""

from __future__ import annotations

from typing import TypedDict, TypeVar

from services.core.errors import Owner, RefusedError
from services.guidance.advice import Advice, most_specific
from services.guidance.files import FILE_ADVICE
from services.guidance.imanage_errors import IMANAGE_ADVICE
from services.guidance.mail import MAIL_ADVICE
from services.guidance.matters import MATTER_ADVICE
from services.guidance.members import MEMBER_ADVICE
from services.guidance.requests import REQUEST_ADVICE
from services.guidance.servers import SERVER_ADVICE
from services.guidance.sign_in_errors import SIGN_IN_ADVICE
from services.guidance.transfers import TRANSFER_ADVICE

E = TypeVar("E", bound=RefusedError)
ADVICE: dict[str, Advice] = (
    REQUEST_ADVICE
    | MEMBER_ADVICE
    | MATTER_ADVICE
    | FILE_ADVICE
    | TRANSFER_ADVICE
    | SERVER_ADVICE
    | SIGN_IN_ADVICE
    | IMANAGE_ADVICE
    | MAIL_ADVICE
)


class Wording(TypedDict):
    """The arguments of a RefusedError."""

    code: str
    sentence: str
    next_step: str
    owner: Owner
    title: str


def worded(code: str, variant: str = "", /, **values: object) -> Wording:
    """The words of this code. `variant` chooses between several sentences of it; `values` fill their braces."""
    advice = most_specific(ADVICE, f"{code}.{variant}")
    if advice is None:
        raise KeyError(code)
    return Wording(
        code=code,
        sentence=advice.sentence.format(**values),
        next_step=advice.next_step.format(**values),
        owner=advice.owner,
        title=advice.title,
    )


def refusal(kind: type[E], code: str, variant: str = "", /, **values: object) -> E:
    return kind(**worded(code, variant, **values))
