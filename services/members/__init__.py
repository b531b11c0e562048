"""Managing members: invitations, import, offboarding, groups and accounts."""
