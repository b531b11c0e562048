"""Advice for files that cannot be compared or previewed on the page."""

from __future__ import annotations

from services.guidance.advice import Advice

_DOWNLOAD = "Download it and open it on your computer."
_IN_WORD = "Download both versions and compare them in Word."

VIEW_ADVICE: dict[str, Advice] = {
    "view.type.compare": Advice("{file} is not a Word document (.docx), a PDF or a text file.", _IN_WORD),
    "view.type.preview": Advice("{file} is not a PDF or an image.", _DOWNLOAD),
    "view.encrypted": Advice(
        "{file} is protected by a password, so Counterpart cannot read it.",
        "Download it and open it with its password.",
    ),
    "view.damaged": Advice("{file} cannot be read. It may be damaged.", _DOWNLOAD),
    "view.no_text": Advice("{file} contains no text. It may be a scan.", _DOWNLOAD),
    "view.too_large": Advice("{file} is too large or too complex to read here.", _DOWNLOAD),
    "view.too_large.compare": Advice("{file} is too large or too complex to compare here.", _IN_WORD),
    "view.too_long": Advice("It took too long to read {file}, so Counterpart stopped.", _DOWNLOAD),
    "view.too_long.compare": Advice(
        "It took too long to compare these files, so Counterpart stopped.", _IN_WORD
    ),
    "view.busy": Advice("Counterpart is reading other documents at the moment.", "Try again in a minute."),
}
