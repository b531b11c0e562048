"""The fault matrix: every fault that can affect a transfer, against every kind of transfer, injected for real."""
