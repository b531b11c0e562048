"""The fault matrix: every fault that touches a transfer, against every kind of transfer, produced for real."""
