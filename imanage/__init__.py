"""A client for iManage Work's REST API (v2), with the outbound guard that every call goes through.

It does not depend on the rest of the application: callers pass addresses, credentials and tokens and get frozen values.
"""
