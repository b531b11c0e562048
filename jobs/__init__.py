"""The worker: it claims due items, carries each out in a thread and does the regular duties."""
