"""Application packages, from which an on-premise iManage takes our registration."""
