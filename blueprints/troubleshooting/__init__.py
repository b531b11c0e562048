"""Troubleshooting: the messages that people see when iManage does not open, their causes, and a live check."""
