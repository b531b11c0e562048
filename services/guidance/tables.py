"""All advice by subject: what a check looks up, and what `docs/messages.md` is drawn from."""

from __future__ import annotations

from services.guidance.advice import Advice
from services.guidance.application import APPLICATION_ADVICE
from services.guidance.imanage_errors import BY_ACTIVITY, IMANAGE_ADVICE
from services.guidance.network import NETWORK_ADVICE
from services.guidance.server_errors import SERVER_ADVICE
from services.guidance.sign_in_errors import SIGN_IN_ADVICE

CHECK_ADVICE: dict[str, Advice] = NETWORK_ADVICE | APPLICATION_ADVICE
TABLES: dict[str, dict[str, Advice]] = {
    "Checks: the network": NETWORK_ADVICE,
    "Checks: the application and sign-ins": APPLICATION_ADVICE,
    "Calls to iManage": IMANAGE_ADVICE,
    "Calls to iManage while searching": BY_ACTIVITY["searching"],
    "Calls to iManage while saving": BY_ACTIVITY["saving"],
    "Sign-ins to iManage": SIGN_IN_ADVICE,
    "Servers in the Admin System": SERVER_ADVICE,
}
