"""The Get and Save dialogs: browsing iManage and choosing there."""
