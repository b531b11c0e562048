"""Advice for what is refused about matters, their documents and the people in them."""

from __future__ import annotations

from services.guidance.advice import LEAD, Advice

MATTER_ADVICE: dict[str, Advice] = {
    "matter.gone": Advice("This matter no longer exists."),
    "matter.archived": Advice(
        "This matter is archived, so it can only be read.", "Ask a lead of the matter to reactivate it.", LEAD
    ),
    "undertaking.changed": Advice(
        "The undertaking has changed since you opened this page.", "Read the text again before you accept it."
    ),
    "undertaking.needed": Advice("Accept the undertaking of this matter before you enter it."),
    "matter.binned": Advice("This matter is in the bin.", "Ask a lead of the matter to restore it.", LEAD),
    "matter.led": Advice("This matter has a lead.", "Ask its lead to make someone else a lead."),
    "exposure.held": Advice("{name} has already held this.", "Reload the page to see it as it is now."),
    "exposure.released": Advice(
        "{name} has already released this.", "Reload the page to see it as it is now."
    ),
    "exposure.readers_changed": Advice(
        "The guests who would see this have changed.", "Press Release again and check the names."
    ),
    "audience.changed": Advice(
        "Someone else has just changed who can see this.", "Open it again to see the choice as it is now."
    ),
    "document.gone": Advice("This document is no longer in the matter."),
    "closing_index.changed": Advice(
        "Someone else has just changed the index, so nothing was moved. This is the order as it is now."
    ),
    "closing_index.gone": Advice("This row is no longer in the index."),
    "closing_index.full": Advice("An index has at most {most} rows.", "Remove rows that are not needed."),
    "closing_index.not_printed": Advice("The PDF could not be made.", "Download the index as CSV instead."),
    "zip.too_many": Advice(
        "This is {count} documents, and a zip file holds at most {most}.", "Select fewer documents."
    ),
    "zip.busy": Advice(
        "Too many zip files are being downloaded.", "Try again when the one you started last has arrived."
    ),
    "participant.there": Advice("{name} is already in this matter."),
    "participant.not_joined": Advice(
        "{name} has not joined yet, and {inviter} has the link that lets them in.",
        "Add them when they have joined, or ask a System Admin to send them a new link.",
    ),
    "participant.last_lead": Advice("A matter needs at least one lead.", "Make someone else a lead first."),
    "picker.nowhere": Advice("Open a folder, or search, before you select everything."),
}
