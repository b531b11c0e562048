"""The tables: columns and relationships, one module for each family."""

from models.audit import AuditEvent
from models.base import db, new_id, prepare_sqlite, utcnow
from models.checks import ServerCheck
from models.connections import Connection, OAuthState
from models.documents import Document, Version
from models.groups import Group, GroupMember, ServerGroup
from models.health import ServerHealth, ServerHealthDay
from models.heartbeats import WorkerHeartbeat
from models.invitations import Invitation
from models.links import Link
from models.mail_server import MailServerState
from models.matters import Matter, Participant
from models.member_imports import MemberImport
from models.member_search import NUMBER, TRIGRAM
from models.members import Installation, Member, SignInAttempt, SignInSession
from models.outbox import Mail
from models.packages import ApplicationPackage
from models.rate_limits import RateCount
from models.servers import Server, ServerCircuit, ServerMember, ServerRemoval
from models.transfers import LIVE, ItemState, Transfer, TransferItem

__all__ = [
    "LIVE",
    "NUMBER",
    "TRIGRAM",
    "ApplicationPackage",
    "AuditEvent",
    "Connection",
    "Document",
    "Group",
    "GroupMember",
    "Installation",
    "Invitation",
    "ItemState",
    "Link",
    "Mail",
    "MailServerState",
    "Matter",
    "Member",
    "MemberImport",
    "OAuthState",
    "Participant",
    "RateCount",
    "Server",
    "ServerCheck",
    "ServerCircuit",
    "ServerGroup",
    "ServerHealth",
    "ServerHealthDay",
    "ServerMember",
    "ServerRemoval",
    "SignInAttempt",
    "SignInSession",
    "Transfer",
    "TransferItem",
    "Version",
    "WorkerHeartbeat",
    "db",
    "new_id",
    "prepare_sqlite",
    "utcnow",
]
