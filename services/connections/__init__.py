"""Members' sign-ins to iManage: OAuth, tokens and their renewal, disconnecting."""
