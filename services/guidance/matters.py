"""Advice for what is refused about matters, their documents and the people in them."""

from __future__ import annotations

from services.guidance.advice import YOU, Advice

MATTER_ADVICE: dict[str, Advice] = {
    "matter.gone": Advice("This matter no longer exists.", "", YOU),
    "matter.led": Advice("This matter has a lead.", "Ask its lead to make someone else a lead.", YOU),
    "document.gone": Advice("This document is no longer in the matter.", "", YOU),
    "participant.there": Advice("{name} is already in this matter.", "", YOU),
    "participant.last_lead": Advice(
        "A matter needs at least one lead.", "Make someone else a lead first.", YOU
    ),
    "picker.nowhere": Advice("Open a folder, or search, before you select everything.", "", YOU),
}
