"""Advice for what a person may not do, and for each rule that keeps a member from an iManage server."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, LEAD, SYSTEM_ADMIN, Advice

_EDITOR = "Ask a lead of the matter to make you an editor."

PERMISSION_ADVICE: dict[str, Advice] = {
    "forbidden.admin_system": Advice(
        "Only System Admins can use the Admin System.", "Ask a System Admin of your firm.", SYSTEM_ADMIN
    ),
    "forbidden.open_matter": Advice("Guests cannot open matters.", "Ask the firm that invited you."),
    "forbidden.change_documents": Advice(
        "You can read this matter, but not change its documents.", _EDITOR, LEAD
    ),
    "forbidden.remove_documents": Advice(
        "Only leads and editors of the firm can move documents to the bin and restore them.", _EDITOR, LEAD
    ),
    "forbidden.access_ended": Advice(
        "Your access to this matter has ended.", "Ask your contact at the firm if you still need it."
    ),
    "forbidden.manage_people": Advice(
        "Only leads of the matter can change who takes part in it.", "Ask a lead of the matter.", LEAD
    ),
    "forbidden.change_matter": Advice(
        "Only leads of the matter can change it.", "Ask a lead of the matter.", LEAD
    ),
    "forbidden.control_exposure": Advice(
        "You can read this matter, but not choose what guests see.", _EDITOR, LEAD
    ),
    "forbidden.change_index": Advice("You can read this matter, but not change its index.", _EDITOR, LEAD),
    "forbidden.view_as": Advice(
        "You can read this matter, but not view it as one of its guests.", _EDITOR, LEAD
    ),
    "view_as.read_only": Advice(
        "You are viewing this matter as {name}, so you cannot change anything.",
        "Press Leave at the top of the page first.",
        title="You are viewing a matter as a guest",
    ),
    "view_as.elsewhere": Advice(
        "You are viewing a matter as {name}, so only the pages of that matter open.",
        "Go back to the matter and press Leave at the top of the page.",
        title="You are viewing a matter as a guest",
    ),
    "forbidden.transfer": Advice(
        "You can read this matter, but not move documents between it and iManage.", _EDITOR, LEAD
    ),
}
ACCESS_ADVICE: dict[str, Advice] = {
    "member.inactive": Advice("The member is not active.", "Reactivate the member on the Members page."),
    "member.guest": Advice(
        "Guests never see anything of iManage.",
        "This cannot be changed. Guests never see where a document came from.",
    ),
    "server.restricted": Advice(
        "The server is restricted to members who are listed.",
        "Add the member under Who can use it and press Save, or remove the restriction.",
    ),
    "server.disabled": Advice(
        "The server is switched off.", "Switch on Enabled at the top of the server’s page."
    ),
    "matter.role": Advice(
        "The member does not take part in this matter.",
        "Ask a lead of the matter to add the member as an editor.",
        LEAD,
    ),
    "matter.role.viewer": Advice(
        "The member can only read this matter.",
        "Ask a lead of the matter to make the member an editor.",
        LEAD,
    ),
    "sign_in.never": Advice(
        "The member has not signed in to this server yet.",
        "Ask the member to sign in under Connected accounts on their Account page.",
    ),
    "sign_in.again": Advice(
        "The sign-in has expired and could not be renewed.",
        "Ask the member to sign in again under Connected accounts on their Account page.",
    ),
    "imanage.right": Advice(
        "iManage refused access to the last document that the member requested.",
        "Ask your iManage admin whether the member has access to that workspace.",
        IMANAGE_ADMIN,
    ),
}
