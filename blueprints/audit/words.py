"""What each audited action is called on the page: a table, so that no sentence is written twice."""

from __future__ import annotations

WORDS = {
    "refused": "Was refused",
    "sign_in": "Signed in",
    "sign_in.locked": "Had to wait after too many wrong sign-ins",
    "sign_out": "Signed out",
    "password.changed": "Changed their password",
    "password.reset": "Made a new password for a member",
    "member.added": "Added a member",
    "guest.added": "Added a guest",
    "member.deactivated": "Deactivated a member",
    "member.reactivated": "Took a member back",
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
    return [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in detail.items() if value]


def _plain(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
