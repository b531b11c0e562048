"""All advice by subject: what a check looks up, and what `docs/messages.md` is drawn from."""

from __future__ import annotations

from services.guidance.access import ACCESS_ADVICE, PERMISSION_ADVICE
from services.guidance.advice import Advice
from services.guidance.application import APPLICATION_ADVICE
from services.guidance.files import FILE_ADVICE
from services.guidance.imanage_errors import BY_ACTIVITY, IMANAGE_ADVICE
from services.guidance.mail import MAIL_ADVICE
from services.guidance.matters import MATTER_ADVICE
from services.guidance.members import MEMBER_ADVICE
from services.guidance.network import NETWORK_ADVICE
from services.guidance.reading import VIEW_ADVICE
from services.guidance.requests import REQUEST_ADVICE
from services.guidance.servers import SERVER_ADVICE
from services.guidance.sign_in_errors import SIGN_IN_ADVICE
from services.guidance.transfers import SAVE_ADVICE, TRANSFER_ADVICE

CHECK_ADVICE: dict[str, Advice] = NETWORK_ADVICE | APPLICATION_ADVICE
TABLES: dict[str, dict[str, Advice]] = {
    "Checks: the network": NETWORK_ADVICE,
    "Checks: the application and sign-ins": APPLICATION_ADVICE,
    "Calls to iManage": IMANAGE_ADVICE,
    "Calls to iManage while searching": BY_ACTIVITY["searching"],
    "Calls to iManage while saving": BY_ACTIVITY["saving"],
    "Sign-ins to iManage": SIGN_IN_ADVICE,
    "iManage servers": SERVER_ADVICE,
    "Checks before a save": SAVE_ADVICE,
    "Transfers": TRANSFER_ADVICE,
    "Matters": MATTER_ADVICE,
    "Files": FILE_ADVICE,
    "Previews and comparisons": VIEW_ADVICE,
    "Accounts and invitations": MEMBER_ADVICE,
    "Permissions": PERMISSION_ADVICE,
    "Requests to Counterpart": REQUEST_ADVICE,
    "Email": MAIL_ADVICE,
    "Why a member cannot use a server": ACCESS_ADVICE,
}
