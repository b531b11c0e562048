"""What each audited action is called on the page: a table, so that no sentence is written twice."""

from __future__ import annotations

from services.core.text.file_names import visible

WORDS = {
    "refused": "Was refused",
    "sign_in": "Signed in",
    "sign_in.locked": "Had to wait after too many wrong sign-ins",
    "sign_out": "Signed out",
    "password.changed": "Changed their password",
    "password.reset": "Made a new password for a member",
    "member.added": "Added a member",
    "guest.added": "Added a guest",
    "member.changed": "Changed a member",
    "member.made_admin": "Made somebody a System Admin",
    "member.unmade_admin": "Took the System Admin’s rights from somebody",
    "member.deactivated": "Deactivated a member",
    "member.reactivated": "Took a member back",
    "invitation.made": "Invited somebody",
    "invitation.renewed": "Made a new invitation link",
    "invitation.withdrawn": "Withdrew an invitation",
    "invitation.accepted": "Accepted an invitation",
    "mail.failing": "Could not send mail",
    "mail.sent_again": "Sends mail again",
    "members.exported": "Downloaded the list of members",
    "members.imported": "Imported a file of members",
    "group.created": "Made a group",
    "group.renamed": "Renamed a group",
    "group.members_added": "Added members to a group",
    "group.member_removed": "Took a member out of a group",
    "group.deleted": "Deleted a group",
    "matter.created": "Opened a matter",
    "matter.renamed": "Renamed a matter",
    "participant.added": "Added somebody to a matter",
    "participant.appointed": "Appointed a lead for a matter without one",
    "participant.role_changed": "Changed somebody’s role in a matter",
    "participant.removed": "Took somebody out of a matter",
    "file.infected": "Sent a file in which the virus scanner found something",
    "file.not_scanned": "Sent a file that the virus scanner does not take",
    "document.added": "Added a document",
    "document.renamed": "Renamed a document",
    "version.added": "Added a version",
    "version.made_current": "Made an older version current",
    "version.downloaded": "Downloaded a version",
    "keys.rotated": "Changed the key that secrets are sealed with",
    "keys.lost": "Erased secrets whose key was lost",
    "server.added": "Added an iManage server",
    "server.practice_added": "Added the practice server",
    "server.changed": "Changed an iManage server",
    "server.credentials_tried": "Tried other credentials at an iManage server",
    "server.credentials_replaced": "Replaced the credentials of an iManage server",
    "server.redirect_url_changed": "Noted that iManage knows our new redirect URL",
    "package.made": "Made an application package for iManage",
    "package.downloaded": "Downloaded an application package",
    "package.redirect_url_settled": "Noted that a package’s old redirect URL is settled",
    "server.enabled": "Switched an iManage server on",
    "server.disabled": "Switched an iManage server off",
    "server.restriction_changed": "Changed who may use an iManage server",
    "server.ca_saved": "Saved the own CA of an iManage server",
    "server.ca_removed": "Removed the own CA of an iManage server",
    "server.tried_now": "Ended the pause of an iManage server",
    "server.check_started": "Checked the connection to an iManage server",
    "support_bundle.downloaded": "Downloaded the support bundle",
    "server.removed": "Removed an iManage server",
    "server.removed_links_downloaded": "Downloaded the links of a removed server",
    "connection.connected": "Signed in to iManage",
    "connection.sign_in_failed": "Could not sign in to iManage",
    "connection.disconnected": "Disconnected from iManage",
    "connection.ended": "A sign-in to iManage came to its end",
    "links.checked": "Looked for newer versions in iManage",
    "member.health_mail_on": "Switched mails about servers on",
    "member.health_mail_off": "Switched mails about servers off",
    "member.mail_on": "Switched mails about transfers on",
    "member.mail_off": "Switched mails about transfers off",
    "transfer.get_started": "Began to get documents from iManage",
    "transfer.got": "Got a document from iManage",
    "transfer.here_already": "Asked iManage for a document that is here already",
    "transfer.save_started": "Began to save a document to iManage",
    "transfer.saved": "Saved a document to iManage",
    "transfer.cancelled": "Cancelled a transfer",
    "transfer.paused": "Paused a transfer",
    "transfer.resumed": "Resumed a transfer",
    "transfer.went_on": "Resumed a transfer",
    "transfer.retried": "Tried again what had failed in a transfer",
    "transfer.moved_on": "Was asked before a save, because iManage had moved on",
    "transfer.checked_out": "Was asked before a save, because the document was checked out",
    "transfer.decided": "Decided what becomes of a save",
    "transfer.stored_different": "Found that iManage stored other bytes than were sent",
    "transfer.linked": "Linked a document to what iManage had stored",
    "transfer.undecided": "Could not find out whether a document arrived",
    "transfer.item_failed": "Could not move a document",
    "transfer.item_stopped": "Stopped moving a document",
}
LABELS = {
    "email": "e-mail",
    "is_admin": "System Admin",
    "imanage_user": "iManage user",
    "imanage_email": "iManage e-mail",
}
# An action that failed reads differently from one that was done.
FAILED = {
    "sign_in": "Tried to sign in",
    "password.changed": "Tried to change their password",
}


def words_for(action: str, outcome: str) -> str:
    """The action in plain words; one that the table does not know still reads as words."""
    if outcome == "failed" and action in FAILED:
        return FAILED[action]
    return WORDS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()


def detail_lines(detail: dict[str, object]) -> list[str]:
    """The facts beside an event, one a line: "matters: 3". Empty ones and false ones say nothing."""
    return [
        f"{LABELS.get(name, name.replace('_', ' '))}: {_plain(value)}"
        for name, value in detail.items()
        if value
    ]


def _plain(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return visible(", ".join(str(part) for part in value))
    return visible(str(value))
