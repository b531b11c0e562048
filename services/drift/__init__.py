"""Drift: documents that are not in step with iManage, links by hand, and twins that went out of reach."""
