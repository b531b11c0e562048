"""A client for iManage Work's REST API (v2), with the outbound guard that every call goes through.

It knows nothing of the workspace around it: hand it addresses, credentials and tokens, and it answers in frozen values.
"""
