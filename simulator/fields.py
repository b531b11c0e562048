"""The names accepted in searches: filters, paging and profile fields. Anything else is refused."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CUSTOMS = frozenset(f"custom{n}" for n in range(1, 32))
PAGING = _names("limit offset total cursor paging_mode sort_order")
DATES = frozenset(f"{date}_date_{end}" for date in ("edit", "create") for end in ("from", "to", "relative"))
CUSTOM_DATES = frozenset(f"custom{n}_{end}" for n in range(21, 25) for end in ("from", "to", "relative"))
BOOLEANS = _names(
    "latest include_subtree in_use checked_out email_only exclude_emails has_attachment exclude_shortcuts personalized"
)

FILTERS = {
    "document": CUSTOMS
    | DATES
    | CUSTOM_DATES
    | _names(
        "anywhere body name comments name_comments subject document_number document_version alias latest "
        "container_id include_subtree libraries author operator last_user owner user in_use_by in_use "
        "checked_out class type extension language email_only exclude_emails has_attachment sender recipient "
        "sent_date received_date exclude_shortcuts personalized"
    ),
    "workspace": CUSTOMS | _names("name owner anywhere description subclass libraries"),
    "folder": _names(
        "container_id description email name name_or_description owner workspace_name include_ids "
        "reference_database libraries"
    ),
}

FIELDS = {
    "document": _names(
        "id database document_number version alias latest is_latest wstype name extension full_file_name type "
        "type_description size content_type checksum file_create_date file_edit_date indexable class "
        "class_description subclass subclass_description comment retain_days author author_description operator "
        "operator_description last_user last_user_description author_info create_date create_profile_date "
        "edit_date edit_profile_date system_edit_date activity_date access_time declared_date is_checked_out "
        "is_in_use in_use in_use_by in_use_by_description checkout_date checkout_due_date checkout_comment "
        "checkout_path is_declared declared is_archived arch_req is_restorable is_related is_external "
        "is_external_as_normal is_hipaa wopi_file_size_warning access default_security effective_security "
        "workspace_id workspace_name location iwl document_url share_url basic_properties from to cc bcc subject "
        "sent_date received_date has_attachment conversation_id conversation_name conversation_count attachments"
    ),
    "workspace": _names(
        "id name description database owner owner_description default_security effective_security has_subfolders "
        "subclass create_date edit_date last_user iwl document_number version project_custom1 project_custom2 "
        "project_custom3 is_external is_hipaa workspace_url wstype"
    ),
    "folder": _names(
        "id name description database folder_type view_type parent_id workspace_id workspace_name has_documents "
        "has_subfolders owner owner_description default_security inherited_default_security effective_security "
        "edit_date create_date email is_external is_container_saved_search is_content_saved_search profile "
        "folder_url wstype iwl"
    ),
}
