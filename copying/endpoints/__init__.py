"""What bytes are copied from and to: one file per system."""
