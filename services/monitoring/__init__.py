"""Each server's checks over time: runs, state, history, schedule and mails."""
