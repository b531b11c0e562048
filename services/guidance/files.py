"""Advice for what keeps a file out of Counterpart: storage limits, the virus scanner and the document store."""

from __future__ import annotations

from services.guidance.advice import SYSTEM_ADMIN, Advice

_QUOTA = {
    "matter.near": "This matter is nearly full: {used} of {limit} is used.",
    "matter.full": "This matter is full: {used} of {limit} is used. Nothing more can be added.",
    "matter.too_large": "This file is {size}. The matter has space for {left} more.",
    "member.near": "You have nearly used all your space: {used} of {limit} across all matters.",
    "member.full": "You have used all your space: {used} of {limit}. You cannot add more.",
    "member.too_large": "This file is {size}. You have space for {left} more.",
    "installation.near": "Counterpart is nearly full: {used} of {limit} is used.",
    "installation.full": "Counterpart is full: {used} of {limit} is used. Nothing more can be added.",
    "installation.too_large": "This file is {size}. Counterpart has space for {left} more.",
}
_AGAIN = "Try again. If it happens again, tell your System Admin."
_RESTORED = "Try again once it has been restored."

FILE_ADVICE: dict[str, Advice] = {
    **{
        f"quota.{code}": Advice(sentence, "Ask your System Admin for more space.", SYSTEM_ADMIN)
        for code, sentence in _QUOTA.items()
    },
    "quota.guest": Advice(
        "There is not enough space for this file in the matter. Ask your contact at the firm."
    ),
    "scan.infected": Advice(
        "The virus scanner found {found} in this file, so it was not kept.",
        "Tell your System Admin and the person who sent you the file.",
    ),
    "scan.away": Advice(
        "The virus scanner did not respond, so the file could not be checked.",
        "The transfer will resume automatically. If this does not change, tell your System Admin.",
        SYSTEM_ADMIN,
    ),
    "scan.away.upload": Advice(
        "The virus scanner did not respond, so the file could not be checked.",
        "Try again in a few minutes. If it happens again, tell your System Admin.",
        SYSTEM_ADMIN,
    ),
    "scan.too_large": Advice(
        "This file is too large for the virus scanner, so it was not kept.",
        "Ask your System Admin to raise the scanner’s limit.",
        SYSTEM_ADMIN,
    ),
    "storage.failed": Advice("The document store is not available at the moment.", _AGAIN, SYSTEM_ADMIN),
    "storage.full": Advice(
        "The document store is full. Ask your System Admin to free some space.",
        "Transfers wait, and resume automatically when there is space.",
        SYSTEM_ADMIN,
    ),
    "storage.full.upload": Advice(
        "The document store is full. Ask your System Admin to free some space.",
        "Try again when there is space.",
        SYSTEM_ADMIN,
    ),
    "storage.missing": Advice(
        "The file is missing from the document store. Ask your System Admin to restore it from a backup.",
        _RESTORED,
        SYSTEM_ADMIN,
    ),
    "storage.damaged": Advice(
        "The file in the document store is damaged. Ask your System Admin to restore it from a backup.",
        _RESTORED,
        SYSTEM_ADMIN,
    ),
    "storage.busy": Advice("This file is already being copied.", _AGAIN, SYSTEM_ADMIN),
    "receipt.key": Advice(
        "The key that signs receipts cannot be decrypted.",
        "Ask your System Admin to create a new one with flask --app app receipt new-key.",
        SYSTEM_ADMIN,
    ),
    "receipt.not_printed": Advice("The PDF could not be made.", "Download the receipt as JSON instead."),
    "upload.no_script": Advice(
        "Files larger than 1 MiB can be added only with JavaScript.",
        "Allow JavaScript for this site, reload the page and add the file again.",
    ),
}
