"""Every route, with who may enter it and what each person is answered. A route that is not in the table fails."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from blueprints.authorization import PERMISSIONS
from models.base import Base
from services.core.unit_of_work import session
from tests.support.routes import (
    ADMIN,
    IN_MATTER,
    MATTER_EDITOR,
    MATTER_STAFF,
    MEMBER,
    NO_GUEST,
    NOT_YET,
    ONLY_GUESTS,
    PERSONS,
    PUBLIC,
    STAFF,
    Firm,
    Route,
    make_firm,
)

R = Route
SERVERS = "/admin/integrations/imanage"
MATTER = "/matters/{matter}"
DRIFT = f"{MATTER}/drift/{{server}}"
DOCUMENT = "/documents/{document}"
VERSION = "/versions/{version}"
TRANSFER = "/transfers/{transfer}"
GROUP = "/admin/groups/{group}"
TROUBLE = "/troubleshooting/mismatch-redirect-url"

USED_OFTEN = ("last_seen_at", "seen_at")
KEY = {"request_key": "6e6c6d22-4c0e-4a4f-9c39-6f2f3b0d1c55"}
GET_FORM = KEY | {"source": "Active!104512.3", "exposure": "members"}
SAVE_FORM = KEY | {"target": "new_document", "folder": "Active!77", "name": "Lease"}
MANY_FORM = KEY | {"target": "twins"}

# fmt: off
ROUTES = (
    # method, address, endpoint, who, answer to an empty request of somebody who is let in
    R("GET",  "/static/mark.svg", "static", PUBLIC, 200),
    R("GET",  "/health/live", "status.live", PUBLIC, 200),
    R("GET",  "/health/ready", "status.ready", PUBLIC, 503),
    R("GET",  "/health/details", "status.details", ADMIN, 200),
    R("GET",  "/sign-in", "auth.sign_in", NOT_YET, 302),
    R("POST", "/sign-in", "auth.sign_in_now", PUBLIC, 422),
    R("GET",  "/session", "auth.renew_page", MEMBER, 204),
    R("GET",  "/set-up", "auth.set_up", PUBLIC, 302),
    R("POST", "/set-up", "auth.set_up_now", PUBLIC, 422),
    R("GET",  "/join/nothing", "auth.join", PUBLIC, 404),
    R("POST", "/join/nothing", "auth.join_now", PUBLIC, 404),
    R("POST", "/sign-out", "auth.sign_out", MEMBER, 303),
    R("GET",  "/account", "account.index", MEMBER, 200),
    R("POST", "/account/password", "account.change_password", MEMBER, 422),
    R("POST", "/account/mail", "account.set_mail", STAFF, 400),
    R("POST", "/account/health-mail", "account.set_health_mail", ADMIN, 400),

    R("GET",  "/admin/audit", "audit.index", ADMIN, 200),
    R("GET",  "/admin/members", "members.index", ADMIN, 200),
    R("GET",  "/admin/members/new", "members.add_member", ADMIN, 200),
    R("POST", "/admin/members/new", "members.add_member", ADMIN, 422),
    R("GET",  "/admin/members/invitations", "members.open_invitations", ADMIN, 200),
    R("GET",  "/admin/members/invitations/new", "members.invite", ADMIN, 200),
    R("POST", "/admin/members/invitations/new", "members.invite", ADMIN, 422),
    R("POST", "/admin/members/invitations/{invitation}/link", "members.renew_invitation", ADMIN, 200),
    R("POST", "/admin/members/invitations/{invitation}/withdraw", "members.withdraw_invitation", ADMIN, 303),
    R("GET",  "/admin/members/leads", "members.without_a_lead", ADMIN, 200),
    R("GET",  "/admin/members/leads/{matter}", "members.choose_lead", ADMIN, 404),
    R("GET",  "/admin/members/leads/{matter}/search", "members.search_lead", ADMIN, 404),
    R("POST", "/admin/members/leads/{matter}/{member}", "members.appoint_lead", ADMIN, 404),
    R("GET",  "/admin/members/export.csv", "members.export", ADMIN, 200),
    R("GET",  "/admin/members/import", "members.choose_file", ADMIN, 200),
    R("POST", "/admin/members/import", "members.choose_file", ADMIN, 422),
    R("GET",  "/admin/members/import/{member}", "members.preview_import", ADMIN, 404),
    R("POST", "/admin/members/import/{member}", "members.run_import", ADMIN, 404),
    R("GET",  "/admin/members/{member}", "members.member", ADMIN, 200),
    R("GET",  "/admin/members/{member}/edit", "members.edit_member", ADMIN, 200),
    R("POST", "/admin/members/{member}/edit", "members.edit_member", ADMIN, 422),
    R("GET",  "/admin/members/{member}/deactivate", "members.confirm_deactivation", ADMIN, 200),
    R("POST", "/admin/members/{member}/deactivate", "members.deactivate", ADMIN, 303),
    R("POST", "/admin/members/{member}/reactivate", "members.reactivate", ADMIN, 303),
    R("GET",  "/admin/members/{member}/password", "members.confirm_new_password", ADMIN, 200),
    R("POST", "/admin/members/{member}/password", "members.reset_password", ADMIN, 200),

    R("GET",  "/admin/groups", "groups.index", ADMIN, 200),
    R("GET",  "/admin/groups/new", "groups.new_group", ADMIN, 200),
    R("POST", "/admin/groups/new", "groups.new_group", ADMIN, 422),
    R("GET",  GROUP, "groups.group", ADMIN, 200),
    R("GET",  f"{GROUP}/search", "groups.search_people", ADMIN, 200, is_fragment=True),
    R("POST", f"{GROUP}/members", "groups.add_person", ADMIN, 303),
    R("POST", f"{GROUP}/pasted", "groups.paste_people", ADMIN, 200),
    R("POST", f"{GROUP}/members/{{member}}/remove", "groups.remove_person", ADMIN, 303),
    R("GET",  f"{GROUP}/rename", "groups.rename_group", ADMIN, 200),
    R("POST", f"{GROUP}/rename", "groups.rename_group", ADMIN, 422),
    R("GET",  f"{GROUP}/delete", "groups.confirm_deletion", ADMIN, 200),
    R("POST", f"{GROUP}/delete", "groups.delete_group", ADMIN, 303),
    R("GET",  f"{GROUP}/members.csv", "groups.members_csv", ADMIN, 200),

    R("GET",  SERVERS, "integrations.index", ADMIN, 200),
    R("GET",  f"{SERVERS}/new", "integrations.new_server", ADMIN, 200),
    R("POST", f"{SERVERS}/new", "integrations.add_server", ADMIN, 422),
    R("GET",  f"{SERVERS}/practice/new", "integrations.new_practice_server", ADMIN, 200),
    R("POST", f"{SERVERS}/practice", "integrations.add_practice_server", ADMIN, 303),
    R("POST", f"{SERVERS}/new/fields", "integrations.new_server_fields", ADMIN, 200),
    R("GET",  f"{SERVERS}/{{server}}", "integrations.server", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/enabled", "integrations.set_enabled", ADMIN, 400),
    R("GET",  f"{SERVERS}/{{server}}/edit", "integrations.edit_server", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/edit", "integrations.change_server", ADMIN, 422),
    R("GET",  f"{SERVERS}/{{server}}/route", "integrations.edit_route", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/route", "integrations.change_route", ADMIN, 422),
    R("GET",  f"{SERVERS}/{{server}}/credentials", "integrations.new_credentials", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/credentials", "integrations.replace_credentials", ADMIN, 422),
    R("POST", f"{SERVERS}/{{server}}/redirect-url", "integrations.confirm_redirect_url", ADMIN, 303),
    R("GET",  f"{SERVERS}/package", "integrations.application_package", ADMIN, 200),
    R("POST", f"{SERVERS}/package", "integrations.make_package", ADMIN, 422),
    R("GET",  f"{SERVERS}/package/{{package}}", "integrations.package", ADMIN, 200),
    R("POST", f"{SERVERS}/package/{{package}}/manifest.zip", "integrations.download_package", ADMIN, 409),
    R("POST", f"{SERVERS}/package/{{package}}/settled", "integrations.settle_package", ADMIN, 303),
    R("POST", f"{SERVERS}/{{server}}/restriction", "integrations.save_restriction", ADMIN, 422),
    R("POST", f"{SERVERS}/{{server}}/restriction/search", "integrations.search_people", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/restriction/chosen", "integrations.choose_person", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/restriction/pasted", "integrations.paste_people", ADMIN, 200),
    R("GET", f"{SERVERS}/{{server}}/why", "integrations.why_not", ADMIN, 200),
    R("GET", f"{SERVERS}/{{server}}/why/{{member}}", "integrations.why_not_member", ADMIN, 200),
    R("GET",  f"{SERVERS}/{{server}}/own-ca", "integrations.own_certificates", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/own-ca", "integrations.save_certificates", ADMIN, 422),
    R("GET",  f"{SERVERS}/{{server}}/own-ca/remove", "integrations.confirm_ca_removal", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/own-ca/remove", "integrations.remove_certificates", ADMIN, 422),
    R("GET",  f"{SERVERS}/{{server}}/health", "integrations.server_health", ADMIN, 200, is_fragment=True),
    R("GET",  f"{SERVERS}/{{server}}/facts", "integrations.facts", ADMIN, 200),
    R("GET",  f"{SERVERS}/{{server}}/facts/report.txt", "integrations.facts_report", ADMIN, 200),
    R("GET",  f"{SERVERS}/{{server}}/facts/ranges", "integrations.correct_fact", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/facts/ranges", "integrations.save_fact", ADMIN, 422),
    R("POST", f"{SERVERS}/{{server}}/facts/ranges/forget", "integrations.forget_fact", ADMIN, 409),
    R("GET",  f"{SERVERS}/{{server}}/learn", "integrations.learn_server", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/learn", "integrations.start_learning", ADMIN, 422),
    R("GET",  f"{SERVERS}/{{server}}/learn/{{run}}", "integrations.learning_run", ADMIN, 404, is_fragment=True),
    R("POST", f"{SERVERS}/{{server}}/try-now", "integrations.try_now", ADMIN, 303),
    R("GET",  f"{SERVERS}/{{server}}/re-point", "integrations.repoint_server", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/re-point", "integrations.preview_repoint", ADMIN, 303),
    R("GET",  f"{SERVERS}/{{server}}/re-point/{{repoint}}", "integrations.previewed_repoint", ADMIN, 409),
    R("POST", f"{SERVERS}/{{server}}/re-point/{{repoint}}", "integrations.confirm_repoint", ADMIN, 409),
    R("GET",  f"{SERVERS}/{{server}}/re-point/{{repoint}}/undo", "integrations.confirm_undo_repoint", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/re-point/{{repoint}}/undo", "integrations.undo_repoint", ADMIN, 409),
    R("GET",  f"{SERVERS}/{{server}}/remove", "integrations.confirm_removal", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/remove", "integrations.remove_server", ADMIN, 303),
    R("GET",  f"{SERVERS}/support-bundle.zip", "integrations.download_support_bundle", ADMIN, 200),
    R("POST", f"{SERVERS}/{{server}}/checks", "integrations.start_check", ADMIN, 303),
    R("GET",  f"{SERVERS}/{{server}}/checks/{{run}}", "integrations.check_run", ADMIN, 200, is_fragment=True),
    R("GET",  f"{SERVERS}/{{server}}/checks/{{run}}/report.txt", "integrations.check_report", ADMIN, 200),
    R("GET",  f"{SERVERS}/{{server}}/request-sheet", "integrations.request_sheet_page", ADMIN, 200),
    R("GET",  "/troubleshooting", "troubleshooting.index", STAFF, 200),
    R("GET",  TROUBLE, "troubleshooting.topic", STAFF, 200),
    R("GET",  "/troubleshooting/this-browser/{server}", "troubleshooting.this_browser", STAFF, 200),
    R("POST", f"{TROUBLE}/check/{{server}}", "troubleshooting.start_check", ADMIN, 303),
    R("GET",  f"{TROUBLE}/check/{{server}}/{{run}}", "troubleshooting.check_run", ADMIN, 200, is_fragment=True),
    R("GET",  f"{SERVERS}/removed/{{removal}}/links.csv", "integrations.removed_links", ADMIN, 200),

    R("GET",  "/", "matters.index", MEMBER, 200),
    R("GET",  "/search", "matters.search", MEMBER, 200),
    R("GET",  "/matters/new", "matters.new", STAFF, 200),
    R("POST", "/matters/new", "matters.new", STAFF, 422),
    R("GET",  MATTER, "matters.matter", IN_MATTER, 200),
    R("POST", f"{MATTER}/pin", "matters.pin", IN_MATTER, 303),
    R("GET",  f"{MATTER}/rename", "matters.rename", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/rename", "matters.rename", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/people", "matters.people", IN_MATTER, 200),
    R("GET",  f"{MATTER}/people/search", "matters.search_people", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{MATTER}/people", "matters.add_person", MATTER_STAFF, 404),
    R("POST", f"{MATTER}/people/{{member}}/role", "matters.change_role", MATTER_STAFF, 422),
    R("GET",  f"{MATTER}/people/{{member}}/remove", "matters.remove_person", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/people/{{member}}/remove", "matters.remove_person", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/people/invite", "matters.invite_guest", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/people/invite", "matters.invite_guest", MATTER_STAFF, 422),
    R("POST", f"{MATTER}/people/{{member}}/invite", "matters.invite_again", MATTER_STAFF, 409),
    R("GET",  f"{MATTER}/people/{{member}}/access", "matters.change_access", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/people/{{member}}/access", "matters.change_access", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/undertaking", "matters.undertaking", ONLY_GUESTS, 303),
    R("POST", f"{MATTER}/undertaking", "matters.accept_undertaking", ONLY_GUESTS, 409),
    R("GET",  f"{MATTER}/undertaking/change", "matters.change_undertaking", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/undertaking/change", "matters.change_undertaking", MATTER_STAFF, 422),
    R("POST", f"{MATTER}/undertaking/withdraw", "matters.withdraw_undertaking", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/acceptances", "matters.acceptances", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/acceptances.csv", "matters.acceptances_csv", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/menu", "matters.matter_menu", MATTER_STAFF, 200, is_fragment=True),
    R("GET",  f"{MATTER}/archive", "matters.archive", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/archive", "matters.archive", MATTER_STAFF, 303),
    R("POST", f"{MATTER}/reactivate", "matters.reactivate", MATTER_STAFF, 303),
    R("GET",  "/matters/bin", "matters.binned_matters", STAFF, 200),
    R("GET",  f"{MATTER}/bin", "matters.binned_documents", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/remove", "matters.remove_matter", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/remove", "matters.remove_matter", MATTER_STAFF, 303),
    R("POST", f"{MATTER}/restore", "matters.restore_matter", MATTER_STAFF, 303),
    R("GET",  f"{DOCUMENT}/remove", "matters.remove_document", MATTER_STAFF, 200),
    R("POST", f"{DOCUMENT}/remove", "matters.remove_document", MATTER_STAFF, 303),
    R("POST", f"{DOCUMENT}/restore", "matters.restore_document", MATTER_STAFF, 404),
    R("GET",  f"{MATTER}/documents/new", "matters.new_document", MATTER_EDITOR, 200),
    R("POST", f"{MATTER}/documents/new", "matters.new_document", MATTER_EDITOR, 422),
    R("GET",  f"{MATTER}/save/{{server}}", "matters.choose_document", MATTER_STAFF, 200),
    R("GET",  DOCUMENT, "matters.document", IN_MATTER, 200),
    R("GET",  f"{DOCUMENT}/actions", "matters.document_actions", IN_MATTER, 200),
    R("GET",  f"{DOCUMENT}/rename", "matters.rename_document", MATTER_EDITOR, 200),
    R("POST", f"{DOCUMENT}/rename", "matters.rename_document", MATTER_EDITOR, 303),
    R("GET",  f"{DOCUMENT}/versions/new", "matters.new_version", MATTER_EDITOR, 200),
    R("POST", f"{DOCUMENT}/versions/new", "matters.new_version", MATTER_EDITOR, 422),
    R("GET",  f"{VERSION}/download", "matters.download", IN_MATTER, 200),
    R("GET",  f"{VERSION}/actions", "matters.version_actions", IN_MATTER, 200),
    R("GET",  f"{VERSION}/current", "matters.make_current", MATTER_EDITOR, 200),
    R("POST", f"{VERSION}/current", "matters.make_current", MATTER_EDITOR, 303, {"exposure": "members"}),
    R("GET",  f"{VERSION}/note", "matters.change_note", MATTER_EDITOR, 200),
    R("POST", f"{VERSION}/note", "matters.change_note", MATTER_EDITOR, 303),
    R("GET",  f"{DOCUMENT}/compare", "matters.compare", IN_MATTER, 200),
    R("GET",  f"{VERSION}/preview", "matters.preview", IN_MATTER, 422),
    R("GET",  f"{VERSION}/receipt", "matters.receipt", MATTER_STAFF, 200),
    R("GET",  f"{VERSION}/receipt.json", "matters.receipt_json", MATTER_STAFF, 200),
    R("GET",  f"{VERSION}/receipt.pdf", "matters.receipt_pdf", MATTER_STAFF, 200),
    R("GET",  "/receipt-keys.json", "matters.receipt_keys", PUBLIC, 200),
    R("GET",  f"{MATTER}/hold", "matters.hold", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/hold", "matters.hold", MATTER_STAFF, 404),
    R("GET",  f"{MATTER}/release", "matters.release", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/release", "matters.release", MATTER_STAFF, 404),
    R("GET",  f"{MATTER}/audience", "matters.audience", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/audience", "matters.audience", MATTER_STAFF, 422),
    R("GET",  f"{MATTER}/view-as", "matters.view_as", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/view-as", "matters.view_as", MATTER_STAFF, 404),
    R("POST", "/view-as/leave", "matters.leave_view_as", MEMBER, 303),
    R("POST", f"{VERSION}/again", "matters.add_version_again", MATTER_EDITOR, 422),

    R("GET",  "/auth/v0/oauth2/authorized", "oauth.authorized", NO_GUEST, 400),
    R("POST", "/connect/{server}", "oauth.begin", STAFF, 200),
    R("POST", "/disconnect/{server}", "oauth.disconnect", STAFF, 303),
    R("POST", "/disconnect", "oauth.disconnect_all", STAFF, 303),
    R("GET",  "/admin/integrations/imanage/{server}/sign-ins", "oauth.sign_ins", ADMIN, 200, is_fragment=True),
    R("POST", "/admin/integrations/imanage/{server}/sign-ins/{member}/end", "oauth.end_sign_in", ADMIN, 303),
    R("GET",  "/admin/integrations/imanage/{server}/sign-ins/end", "oauth.confirm_end_of_all", ADMIN, 200),
    R("POST", "/admin/integrations/imanage/{server}/sign-ins/end", "oauth.end_all_sign_ins", ADMIN, 303),
    R("GET",  "/admin/members/{member}/sign-ins", "oauth.member_sign_ins", ADMIN, 200, is_fragment=True),
    R("POST", "/admin/members/{member}/sign-ins/{server}/end", "oauth.end_member_sign_in", ADMIN, 303),

    R("GET",  f"{MATTER}/get/{{server}}", "transfers.get_picker", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{MATTER}/get/{{server}}", "transfers.start_get", MATTER_STAFF, 303, GET_FORM),
    R("POST", f"{MATTER}/browse/{{server}}", "transfers.browse", MATTER_STAFF, 409),
    R("GET",  f"{DOCUMENT}/save/{{server}}", "transfers.save_picker", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{DOCUMENT}/save/{{server}}", "transfers.start_save", MATTER_STAFF, 303, SAVE_FORM),
    R("GET",  f"{MATTER}/index", "matters.index_tab", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/index/new", "matters.new_index_row", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/index/new", "matters.new_index_row", MATTER_STAFF, 422),
    R("POST", f"{MATTER}/index/documents", "matters.add_to_index", MATTER_STAFF, 303),
    R("POST", f"{MATTER}/index/move", "matters.move_index_row", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/index.csv", "matters.index_csv", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/index.pdf", "matters.index_pdf", MATTER_STAFF, 200),
    R("GET",  "/index-rows/{index_row}/edit", "matters.edit_index_row", MATTER_STAFF, 200),
    R("POST", "/index-rows/{index_row}/edit", "matters.edit_index_row", MATTER_STAFF, 303),
    R("POST", "/index-rows/{index_row}/remove", "matters.remove_index_row", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/documents.zip", "matters.documents_zip", IN_MATTER, 200),
    R("POST", f"{MATTER}/documents/check", "matters.check_new_documents", MATTER_EDITOR, 204),
    R("POST", f"{DOCUMENT}/versions/check", "matters.check_new_version", MATTER_EDITOR, 204),
    R("GET",  f"{DOCUMENT}/save/{{server}}/check", "transfers.save_check", MATTER_STAFF, 409, is_fragment=True),
    R("POST", f"{MATTER}/paste/{{server}}", "transfers.paste", MATTER_STAFF, 422),
    R("POST", f"{MATTER}/profile/{{server}}", "transfers.profile_fields", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/workspace/{{server}}", "transfers.offer_workspace", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{MATTER}/workspace/{{server}}", "transfers.choose_workspace", MATTER_STAFF, 409),
    R("POST", f"{MATTER}/everything/{{server}}", "transfers.everything", MATTER_STAFF, 409),
    R("GET",  f"{MATTER}/save-many/{{server}}", "transfers.save_many_picker", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{MATTER}/save-many/{{server}}", "transfers.start_save_many", MATTER_STAFF, 422, MANY_FORM),
    R("POST", f"{MATTER}/save-many/{{server}}/check", "transfers.check_many", MATTER_STAFF, 409),
    R("GET",  "/transfers", "transfers.index", STAFF, 200),
    R("GET",  "/transfers/_news", "transfers.news", STAFF, 200),
    R("POST", "/transfers/seen", "transfers.see_news", STAFF, 303),
    R("GET",  f"{TRANSFER}/results.csv", "transfers.results", MATTER_STAFF, 200),
    R("GET",  TRANSFER, "transfers.transfer", MATTER_STAFF, 200),
    R("GET",  f"{TRANSFER}/_status", "transfers.transfer_status", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/_transfers", "transfers.matter_status", MATTER_STAFF, 200),
    R("POST", f"{TRANSFER}/cancel", "transfers.cancel", MATTER_STAFF, 303),
    R("POST", f"{TRANSFER}/pause", "transfers.pause", MATTER_STAFF, 303),
    R("POST", f"{TRANSFER}/resume", "transfers.resume", MATTER_STAFF, 303),
    R("POST", f"{TRANSFER}/retry", "transfers.retry", MATTER_STAFF, 409, KEY),
    R("GET",  f"{TRANSFER}/undo", "transfers.undo_transfer", MATTER_STAFF, 409),
    R("POST", f"{TRANSFER}/undo", "transfers.undo_transfer", MATTER_STAFF, 409),
    R("POST", "/transfer-items/{item}/decide", "transfers.decide", MATTER_STAFF, 409, KEY | {"choice": "again"}),
    R("POST", f"{MATTER}/check", "transfers.check_matter", MATTER_STAFF, 303),
    R("POST", f"{MATTER}/documents/{{document}}/check", "transfers.check_document", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/drift", "drift.board", MATTER_STAFF, 200),
    R("GET",  f"{MATTER}/_states", "drift.states", MATTER_STAFF, 200, is_fragment=True),
    R("POST", f"{MATTER}/drift/opened", "drift.opened", MATTER_STAFF, 200),
    R("POST", f"{MATTER}/drift/check", "drift.check", MATTER_STAFF, 303),
    R("GET",  f"{MATTER}/links.csv", "drift.links_csv", MATTER_STAFF, 200),
    R("GET",  f"{DRIFT}/get", "drift.get_newer", MATTER_STAFF, 422, is_fragment=True),
    R("POST", f"{DRIFT}/get", "drift.get_newer", MATTER_STAFF, 422),
    R("GET",  f"{DRIFT}/ignore", "drift.ignore", MATTER_STAFF, 422, is_fragment=True),
    R("POST", f"{DRIFT}/ignore", "drift.ignore", MATTER_STAFF, 422),
    R("GET",  f"{DRIFT}/access", "drift.decide_access", MATTER_STAFF, 422, is_fragment=True),
    R("POST", f"{DRIFT}/access", "drift.decide_access", MATTER_STAFF, 422),
    R("POST", f"{DRIFT}/undo", "drift.undo", MATTER_STAFF, 422),
    R("GET",  f"{DRIFT}/unlink", "drift.unlink", MATTER_STAFF, 422, is_fragment=True),
    R("POST", f"{DRIFT}/unlink", "drift.unlink", MATTER_STAFF, 422),
    R("GET",  f"{DOCUMENT}/drift/{{server}}/actions", "drift.actions", MATTER_STAFF, 200, is_fragment=True),
    R("GET",  f"{DOCUMENT}/link/{{server}}", "drift.link", MATTER_STAFF, 409, is_fragment=True),
    R("POST", f"{DOCUMENT}/link/{{server}}", "drift.link", MATTER_STAFF, 409),
    R("GET",  f"{DOCUMENT}/link/{{server}}/_found", "drift.found", MATTER_STAFF, 200, is_fragment=True),
)
# fmt: on


@pytest.fixture
def firm(app: Flask, database: None) -> Firm:
    return make_firm(app)


def test_every_route_is_in_the_table(app: Flask) -> None:
    served = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(route.method, route.endpoint) for route in ROUTES}
    assert served - listed == set(), "These routes are not in the table."
    assert listed - served == set(), "These lines of the table have no route."
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES), "A line is there twice."


def test_every_view_is_marked_as_the_table_says(app: Flask) -> None:
    for route in ROUTES:
        mark = PERMISSIONS.get(route.endpoint) or getattr(
            app.view_functions[route.endpoint], "permission", None
        )
        assert mark == route.who.mark, f"{route.endpoint} is marked {mark!r}."


GETS = [route for route in ROUTES if route.method == "GET"]
# These record what they hand over, and the last what came of a sign-in to iManage.
RECORDED = {
    "integrations.removed_links",
    "integrations.download_support_bundle",
    "matters.download",
    "matters.documents_zip",
    "matters.receipt_json",
    "matters.receipt_pdf",
    "members.export",
    "oauth.authorized",
}


def test_every_page_is_answered_as_the_table_says(firm: Firm) -> None:
    answers = {route.path: {person: firm.ask(route, person) for person in PERSONS} for route in GETS}
    assert answers == {route.path: {person: route.expected(person) for person in PERSONS} for route in GETS}


def test_a_page_that_is_asked_for_changes_nothing(firm: Firm) -> None:
    """But for when a session was last used, which no answer shows, and for what is recorded."""
    rows, changed = _every_row(), set()
    for route in GETS:
        for person in _let_in(route):
            firm.ask(route, person)
        if (found := _every_row()) != rows:
            rows = found
            changed.add(route.endpoint)
    assert changed == RECORDED


def test_asking_for_the_head_changes_nothing(firm: Firm) -> None:
    rows = _every_row()
    for route in GETS:
        for person in _let_in(route):
            answer = firm.browsers[person].client.head(route.path.format(**firm.places))
            assert not answer.data, route
            answer.close()
        assert _every_row() == rows, route


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=str)
def test_a_write_is_answered_as_the_table_says_and_never_without_the_token(firm: Firm, route: Route) -> None:
    person = next(name for name in reversed(PERSONS) if name not in route.who.otherwise)
    assert firm.ask(route, person, token=False) == 400
    answers = {person: firm.ask(route, person) for person in PERSONS}
    assert answers == {person: route.expected(person) for person in PERSONS}


def _let_in(route: Route) -> list[str]:
    """A refusal to others is recorded, whatever the method."""
    return [person for person in PERSONS if route.expected(person) not in {401, 403}]


def _every_row() -> dict[str, list[str]]:
    session().rollback()
    return {
        table.name: sorted(
            repr(dict(row._mapping) | dict.fromkeys(USED_OFTEN, ""))
            for row in session().execute(select(table))
        )
        for table in Base.metadata.sorted_tables
    }
