"""Advice for what is refused about iManage servers, packages and checks."""

from __future__ import annotations

from services.guidance.advice import SYSTEM_ADMIN, Advice

SERVER_ADVICE: dict[str, Advice] = {
    "not_found.check": Advice("We could not find this check.", "Run it again."),
    "server.disabled": Advice(
        "This iManage server is switched off.",
        "Your links are kept. Ask your System Admin when it will be back on.",
        SYSTEM_ADMIN,
    ),
    "server.gone": Advice("We could not find this server.", "It may have been removed."),
    "server.gone.known": Advice(
        "“{name}” was removed by {by} on {day}.", "Choose another server from the list."
    ),
    "server.unsure": Advice("Confirm that you want to switch this server."),
    "server.would_lose": Advice("Some members would lose access to iManage. Confirm that you want this."),
    "credentials.unproven": Advice("Counterpart could not confirm that iManage accepts these credentials."),
    "server.secret_lost": Advice(
        "Counterpart cannot decrypt the Client Secret of this iManage server.",
        "A System Admin can enter the Client Secret again on the server’s page.",
        SYSTEM_ADMIN,
    ),
    "server.incomplete": Advice(
        "This server has no Client ID and Client Secret, so nobody could sign in to it.",
        "Enter them under Replace credentials, then switch the server on.",
    ),
    "server.practice_there": Advice(
        "There is already a server named “{name}”, or one at its address.",
        "Use that one, or rename or remove it first.",
    ),
    "server.fact_assumed": Advice("This fact already has its assumed value.", "Reload the page."),
    "server.no_ca": Advice("This server no longer has a custom CA.", "Reload the page."),
    "server.throttled": Advice(
        "iManage asked Counterpart to wait, so this pause cannot be ended early.",
        "Calls resume automatically when it is over.",
    ),
    "repoint.expired": Advice("This preview is more than an hour old.", "Preview the re-point again."),
    "repoint.changed": Advice("Links have changed since the preview.", "Preview the re-point again."),
    "repoint.target_off": Advice(
        "“{name}” is switched off.", "Switch it on, so that members can sign in to it, then try again."
    ),
    "repoint.running": Advice(
        "{count} transfers of these servers have not ended.",
        "Wait until they have ended, or ask the members to cancel them. Then try again.",
    ),
    "repoint.running.one": Advice(
        "1 transfer of these servers has not ended.",
        "Wait until it has ended, or ask the member to cancel it. Then try again.",
    ),
    "repoint.done": Advice(
        "{by} has already re-pointed this server with this preview.", "See the server’s page for what moved."
    ),
    "repoint.over": Advice(
        "This re-point can no longer be undone.",
        "It was undone already, or more than 30 days have passed.",
    ),
    "repoint.same": Advice("Choose another server.", "Links cannot move to the server that they are on."),
    "repoint.practice": Advice(
        "Links cannot move from or to the practice server.", "Choose a server of your firm."
    ),
    "package.gone": Advice(
        "The secret of this package has been deleted. It is kept for 15 minutes, for the person who made the package.",
        "If you have neither the file nor the secret, make a new package.",
    ),
    "package.used": Advice(
        "Another server already uses this package’s Client ID.", "Make a new package for this server."
    ),
    "credentials.too_many": Advice(
        "You tried {count} sets of credentials within a minute.", "Wait a minute, then try again."
    ),
    "check.too_many": Advice(
        "You started {count} checks within a minute.", "Wait a minute, then check again."
    ),
}
