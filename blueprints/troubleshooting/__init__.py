"""Troubleshooting: what people read when iManage does not open, what lies behind it, and a live check of it."""
