"""The front door for people: one room per task, and the hall that the rooms share."""
