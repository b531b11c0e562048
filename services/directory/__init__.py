"""People: members and guests, what is on record of them, and finding them."""
