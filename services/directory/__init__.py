"""People: members and guests, their details, and searching them."""
