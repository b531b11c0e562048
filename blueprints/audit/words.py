"""The audited actions in words."""

from __future__ import annotations

from services.core.text.file_names import visible

WORDS = {
    "refused": "Was refused",
    "sign_in": "Signed in",
    "sign_in.locked": "Sign-in blocked after too many failed attempts",
    "sign_out": "Signed out",
    "password.changed": "Changed their password",
    "password.reset": "Reset a member’s password",
    "member.added": "Added a member",
    "guest.added": "Added a guest",
    "member.changed": "Changed a member",
    "member.made_admin": "Made a member a System Admin",
    "member.unmade_admin": "Removed a member’s System Admin right",
    "member.deactivated": "Deactivated a member",
    "member.reactivated": "Reactivated a member",
    "invitation.made": "Sent an invitation",
    "invitation.renewed": "Replaced an invitation link",
    "invitation.withdrawn": "Withdrew an invitation",
    "invitation.accepted": "Accepted an invitation",
    "mail.failing": "Could not send email",
    "mail.sent_again": "Sent email again after a failure",
    "members.exported": "Exported the list of members",
    "members.imported": "Imported members from a file",
    "group.created": "Created a group",
    "group.renamed": "Renamed a group",
    "group.members_added": "Added members to a group",
    "group.member_removed": "Removed a member from a group",
    "group.deleted": "Deleted a group",
    "matter.created": "Created a matter",
    "matter.renamed": "Renamed a matter",
    "matter.pinned": "Pinned a matter in their list",
    "matter.unpinned": "Unpinned a matter in their list",
    "matter.archived": "Archived a matter",
    "matter.reactivated": "Reactivated a matter",
    "matter.binned": "Moved a matter to the bin",
    "matter.restored": "Restored a matter from the bin",
    "matter.deleted": "Deleted a matter that had been in the bin for 30 days",
    "undertaking.changed": "Changed the undertaking of a matter",
    "undertaking.withdrawn": "Withdrew the undertaking of a matter",
    "undertaking.accepted": "Accepted the undertaking of a matter",
    "matter.workspace_chosen": "Chose the iManage workspace of a matter",
    "matter.workspace_declined": "Chose that a matter has no iManage workspace",
    "participant.added": "Added a person to a matter",
    "participant.appointed": "Appointed a lead for a matter without one",
    "participant.role_changed": "Changed a person’s role in a matter",
    "participant.until_changed": "Changed until when a guest has access to a matter",
    "participant.removed": "Removed a person from a matter",
    "file.infected": "Uploaded a file that failed the virus scan",
    "file.not_scanned": "Uploaded a file that the virus scanner could not scan",
    "document.added": "Added a document",
    "document.renamed": "Renamed a document",
    "document.binned": "Moved a document to the bin",
    "document.restored": "Restored a document from the bin",
    "document.deleted": "Deleted a document that had been in the bin for 30 days",
    "version.added": "Added a version",
    "version.made_current": "Made an older version current",
    "version.note_changed": "Changed the note of a version",
    "version.held": "Held a version for members",
    "version.released": "Released a version to guests",
    "exposure.confirmed": "Confirmed which guests see what arrives",
    "document.audience_changed": "Changed who can see a document",
    "view_as.started": "Started to view a matter as a guest",
    "view_as.left": "Stopped viewing a matter as a guest",
    "closing_index.changed": "Changed the closing index of a matter",
    "version.downloaded": "Downloaded a version",
    "version.previewed": "Opened a preview of a version",
    "version.compared": "Compared two versions",
    "receipt.issued": "Issued a receipt for a version",
    "receipt_key.made": "Created a key that signs receipts",
    "keys.rotated": "Rotated the encryption key",
    "keys.lost": "Erased secrets whose key was lost",
    "server.added": "Added an iManage server",
    "server.practice_added": "Added the practice server",
    "server.changed": "Changed an iManage server",
    "server.credentials_tried": "Tested new credentials for an iManage server",
    "server.credentials_replaced": "Replaced the credentials of an iManage server",
    "server.redirect_url_changed": "Confirmed that iManage has the new redirect URL",
    "package.made": "Created an application package for iManage",
    "package.downloaded": "Downloaded an application package",
    "package.redirect_url_settled": "Confirmed the redirect URL of an application package",
    "server.enabled": "Enabled an iManage server",
    "server.disabled": "Disabled an iManage server",
    "server.restriction_changed": "Changed who may use an iManage server",
    "server.ca_saved": "Saved a certificate authority for an iManage server",
    "server.ca_removed": "Removed the certificate authority of an iManage server",
    "server.route_changed": "Changed the route to an iManage server",
    "server.tried_now": "Closed the circuit breaker of an iManage server",
    "server.learning_started": "Started to learn the facts of an iManage server",
    "server.learned": "Learned the facts of an iManage server",
    "server.fact_told": "Corrected a fact about an iManage server",
    "server.fact_forgotten": "Returned a fact about an iManage server to its assumed value",
    "server.fact_learned": "Found out a fact about an iManage server from its answers",
    "server.fact_doubted": "Found that an iManage server contradicts a fact about it",
    "server.version_changed": "Found another version of iManage on a server",
    "server.check_started": "Checked the connection to an iManage server",
    "support_bundle.downloaded": "Downloaded the support bundle",
    "server.repoint_previewed": "Previewed the re-point of an iManage server",
    "server.repointed": "Re-pointed an iManage server",
    "server.repoint_undone": "Undid the re-point of an iManage server",
    "server.removed": "Removed an iManage server",
    "server.removed_links_downloaded": "Downloaded the links of a removed server",
    "connection.connected": "Signed in to iManage",
    "connection.sign_in_failed": "Could not sign in to iManage",
    "connection.disconnected": "Disconnected from iManage",
    "connection.ended": "A sign-in to iManage ended",
    "links.checked": "Checked for newer versions in iManage",
    "link.made": "Linked a document to one in iManage",
    "link.ended": "Unlinked a document from iManage",
    "drift.ignored": "Ignored a difference from iManage until the next change",
    "drift.undone": "Withdrew a decision about a document that differs from iManage",
    "access_lost.found": "Found that a document can no longer be opened in iManage",
    "access_lost.decided": "Decided what becomes of a copy that can no longer be opened in iManage",
    "member.health_mail_on": "Turned on emails about servers",
    "member.health_mail_off": "Turned off emails about servers",
    "member.mail_on": "Turned on emails about transfers",
    "member.mail_off": "Turned off emails about transfers",
    "transfer.get_started": "Started to get documents from iManage",
    "transfer.got": "Got a document from iManage",
    "transfer.here_already": "Chose a document that is already in the matter",
    "transfer.save_started": "Started to save a document to iManage",
    "transfer.saved": "Saved a document to iManage",
    "transfer.cancelled": "Cancelled a transfer",
    "transfer.paused": "Paused a transfer",
    "transfer.resumed": "Resumed a transfer",
    "transfer.went_on": "Resumed a transfer",
    "transfer.undone": "Undid a transfer that got documents from iManage",
    "version.taken_back": "Took back a version that came from iManage",
    "transfer.retried": "Retried the failed documents of a transfer",
    "transfer.moved_on": "Save needs a decision: newer version in iManage",
    "transfer.checked_out": "Save needs a decision: document checked out in iManage",
    "transfer.decided": "Decided how to save a document",
    "transfer.stored_different": "Found that iManage stored a different file than was sent",
    "transfer.linked": "Linked a document to the one stored in iManage",
    "transfer.undecided": "Could not confirm whether a document arrived",
    "transfer.item_failed": "Transfer of a document failed",
    "transfer.item_stopped": "Transfer of a document stopped",
}
LABELS = {
    "email": "email",
    "is_admin": "System Admin",
    "imanage_user": "iManage user",
    "imanage_email": "iManage email",
}
# Wording for actions whose outcome is "failed".
FAILED = {
    "sign_in": "Tried to sign in",
    "password.changed": "Tried to change their password",
}


def words_for(action: str, outcome: str) -> str:
    """The action in words; an unknown one is derived from its code."""
    if outcome == "failed" and action in FAILED:
        return FAILED[action]
    return WORDS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()


def detail_lines(detail: dict[str, object]) -> list[str]:
    """The details of an event, one a line: "matters: 3". Empty and false ones are left out."""
    return [
        f"{LABELS.get(name, name.replace('_', ' '))}: {_plain(value)}"
        for name, value in detail.items()
        if value
    ]


def _plain(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, dict):
        return visible(", ".join(f"{name} = {part}" for name, part in value.items()))
    if isinstance(value, list):
        return visible(", ".join(str(part) for part in value))
    return visible(str(value))
