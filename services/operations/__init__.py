"""The installation itself: health, keys, schema, workers, the support bundle and the audit log."""
