"""The admin side of people: adding, inviting, importing, offboarding and groups."""
