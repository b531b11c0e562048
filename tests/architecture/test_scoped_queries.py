"""A query for documents or versions is about a matter or an actor, but for the modules listed here with their reason.

Scoped is a function, or an expression at the top of a module, that compares a matter's id or requires a permission.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import files, tree_of

ROWS = {"Document", "Version"}
SELECTS = {"select", "exists", "query"}
GETS = {"get", "get_one"}
SCOPES = {"matter_id", "binned_from_id", "Participant.member_id", "TransferItem.transfer_id"}
WORKER = (
    "services/execution/"  # runs what a member with the permission has asked for, and checks it again itself
)
UNSCOPED = {
    "services/drift/decisions.py": "versions of documents that were listed for the actor",
    "services/drift/linking.py": "versions of the document that its caller has authorized",
    "services/matters/adding.py": "locks documents by the ids of an authorized write, and checks their matters",
    "services/matters/exposure.py": "documents of a matter that its callers have authorized and locked",
    "services/matters/quotas.py": "sums of sizes: no row leaves it",
    "services/matters/versions.py": "compares bytes with the document that its caller has authorized",
    "services/server_admin/repoint_preview.py": "checksums and sizes of linked versions, compared and not shown",
    "services/transfers/bulk_save.py": "its base query gets the matter where it is used",
    "services/transfers/decisions.py": "the version of an item whose transfer was authorized",
    "services/transfers/links.py": "its callers pass the matter or document that they authorized",
    "services/transfers/undo.py": "versions of the documents that an authorized transfer brought",
    "services/transfers/update_check.py": "the name of a document among those listed for the actor",
}


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _reads_documents(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    if _name_of(node) in GETS:
        return isinstance(node.args[0], ast.Name) and node.args[0].id in ROWS
    return _name_of(node) in SELECTS and any(_names(each) & ROWS for each in node.args)


def _is_scope(node: ast.AST) -> bool:
    compared: list[ast.expr] = []
    match node:
        case ast.Compare(left=left, comparators=others):
            compared = [left, *others]
        case ast.Call(func=ast.Attribute(attr="in_", value=column)):
            compared = [column]
        case ast.Call() if _name_of(node) in {"require_matter", "require_transfer"}:
            return True
        case ast.Call() if ast.unparse(node.func) == "visibility.documents":
            return True
    return any(
        isinstance(each, ast.Attribute) and {each.attr, ast.unparse(each)} & SCOPES for each in compared
    )


def _unscoped(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        for part in node.body if isinstance(node, ast.ClassDef) else [node]:
            inside = list(ast.walk(part))
            if any(map(_reads_documents, inside)) and not any(map(_is_scope, inside)):
                yield part


def test_every_query_for_documents_is_scoped() -> None:
    names = [
        name
        for folder in ("blueprints/", "commands/", "jobs/", "services/")
        for name in files(".py", below=folder)
    ]
    found = {name for name in names if not name.startswith(WORKER) and any(_unscoped(tree_of(name)))}
    assert found == UNSCOPED.keys()


def test_the_rule_sees_a_query_without_a_scope() -> None:
    plain = "def one(id):\n    return session().{}\n"
    for query in ("get(Document, id)", "scalar(select(Version.sha256).where(Version.id == id))"):
        assert any(_unscoped(ast.parse(plain.format(query))))
    assert not any(
        _unscoped(ast.parse(plain.format("scalar(select(Document).where(Document.matter_id == id))")))
    )
