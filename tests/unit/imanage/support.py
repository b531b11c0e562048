"""A client on a practice base URL, and rows as iManage sends them."""

from __future__ import annotations

from typing import Any

from imanage.client import Client, Pacer, TokenHeader
from imanage.guard import Limits, build_session
from imanage.networks import AddressRules
from imanage.types import AppCredentials, Endpoints

HOST = "https://imanage.firm.com"
BASE = f"{HOST}/work/api/v2/customers/7"
TOKEN = "token-that-nobody-may-read"
ENDPOINTS = Endpoints(browser="https://work.firm.com", api=HOST)
CREDENTIALS = AppCredentials("counterpart", "secret-that-nobody-may-read")
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def client(header: TokenHeader = "x-auth-token", pacer: Pacer | None = None, **limits: Any) -> Client:
    return Client(build_session(AddressRules(), Limits(**limits)), BASE, TOKEN, header, pacer)


def document_row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "Active!104512.3",
        "database": "ACTIVE",
        "document_number": 104512,
        "version": 3,
        "latest": "3",
        "is_latest": True,
        "wstype": "document",
        "name": "Share purchase agreement (draft)",
        "extension": "DOCX",
        "type": "WORDX",
        "size": 184320,
        "checksum": f"SHA256:{SHA.upper()}",
        "author": "JDOE",
        "author_description": "Jane Doe",
        "edit_date": "2026-11-20T16:40:12.386Z",
        "create_date": "2026-10-02T09:11:04Z",
        "is_checked_out": False,
        "is_in_use": False,
        "access": "full_access",
        "workspace_id": "Active!88231",
        "document_url": "https://work.firm.com/work/link/d/Active!104512.3",
        **fields,
    }


def folder_row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "Active!427",
        "name": "Correspondence",
        "wstype": "folder",
        "folder_type": "regular",
        "parent_id": "Active!88231",
        "workspace_id": "Active!88231",
        "has_subfolders": False,
        "has_documents": True,
        "effective_security": "read_write",
        **fields,
    }


def workspace_row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "Active!88231",
        "name": "Project Heron",
        "wstype": "workspace",
        "custom1": "10042",
        "custom1_description": "Harbour Holdings",
        "custom2": "0007",
        "has_subfolders": True,
        **fields,
    }
