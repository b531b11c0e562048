"""Advice for requests that Counterpart does not answer as asked: wrong, from another session, or during an outage."""

from __future__ import annotations

from services.guidance.advice import SYSTEM_ADMIN, Advice

_SAFE = "Everything saved before is safe."
_RELOAD = "Reload the page and try again."
_REFERENCE = "give your System Admin the reference below."

REQUEST_ADVICE: dict[str, Advice] = {
    "bad_request": Advice("The request is not valid.", title="We could not read this request"),
    "method": Advice("This address does not accept this kind of request.", title="This is not possible here"),
    "too_large": Advice(
        "What you sent is larger than this installation accepts.",
        "Send a smaller file, or ask your System Admin about the limit.",
        SYSTEM_ADMIN,
        title="This is too large",
    ),
    "too_large.here": Advice(
        "Counterpart accepts files of up to {size} here. Nothing was saved.",
        "Send a smaller file, or ask your System Admin about the limit.",
        SYSTEM_ADMIN,
        title="This is too large",
    ),
    "range": Advice(
        "The requested part is beyond the end of the file.",
        "Download the whole file again.",
        title="This part of the file does not exist",
    ),
    "too_many": Advice("Wait a moment, then try again.", title="Too many requests"),
    "unexpected": Advice(
        f"Counterpart met an unexpected error. {_SAFE}",
        f"Try again. If it happens again, {_REFERENCE}",
        SYSTEM_ADMIN,
        title="Something went wrong on our side",
    ),
    "host.unknown": Advice(
        "Counterpart answers only at {url}.",
        "Open {url}. If that is not its address, tell your System Admin to check COUNTERPART_PUBLIC_URL.",
        title="Counterpart is at another address",
    ),
    "origin.foreign": Advice(
        "Counterpart accepts changes only from its own pages, at {url}. Nothing was changed.",
        "Open {url} and try again there. If you were there already, tell your System Admin that "
        "COUNTERPART_PUBLIC_URL or the proxy in front of Counterpart does not match the address in your browser.",
        title="This request came from another site",
    ),
    "conflict.form_used": Advice("Someone else has already used this form.", "Open it again."),
    "session.another_person": Advice(
        "You are now signed in as {name}. Someone else opened this page, so nothing was saved.", _RELOAD
    ),
    "session.changed": Advice(
        "Nothing was saved. What you typed is still here.",
        "Try again.",
        title="You have signed in again since you opened this page",
    ),
    "session.old_page": Advice(
        "Nothing was saved.",
        f"{_RELOAD} If it keeps happening, allow cookies for this site in your browser.",
        title="You signed in or out after you opened this page",
    ),
    "rate_limit": Advice(
        "You have {done} {count} times within {window}. Try again in {wait}.",
        "Nothing was changed. If you need to do more than this, tell your System Admin.",
    ),
    "database_away": Advice(
        f"Pages will be back when the database answers. {_SAFE}",
        "Wait a minute, then try again. If you were saving something, check whether it was saved before you send it "
        f"again. If it keeps happening, {_REFERENCE}",
        SYSTEM_ADMIN,
        title="Counterpart cannot reach its database",
    ),
    "database_busy": Advice(
        "All connections to the database are in use. Nothing was changed.",
        "Wait a few seconds, then try again.",
        SYSTEM_ADMIN,
        title="Counterpart is busy",
    ),
    "database_meanwhile": Advice(
        "Their change was saved first, so yours was not saved.",
        "Try again.",
        title="Someone else saved at the same moment",
    ),
    "database_full": Advice(
        f"The database’s disk is full, so nothing can be saved. {_SAFE}",
        "Ask your System Admin to free disk space, then try again.",
        SYSTEM_ADMIN,
        title="Counterpart’s database is full",
    ),
    "database_harmed": Advice(
        "The database file is missing or damaged, or Counterpart may not read it.",
        "Give your System Admin the reference below. The log says which file it is and what is wrong.",
        SYSTEM_ADMIN,
        title="Counterpart cannot read its database",
    ),
    "database_tables": Advice(
        "The tables are missing or belong to another version of Counterpart.",
        "Ask your System Admin to run: flask --app app doctor",
        SYSTEM_ADMIN,
        title="Counterpart’s database does not fit this version",
    ),
    "stale_keys": Advice(
        "The encryption key was changed, and this process does not have the new one yet. Nothing was lost.",
        "Ask your System Admin to give this process the new key and restart it.",
        SYSTEM_ADMIN,
        title="Counterpart needs a restart",
    ),
}
