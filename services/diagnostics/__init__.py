"""Checking a server: what stands between this installation and an iManage server, by name, and whose step it is."""
