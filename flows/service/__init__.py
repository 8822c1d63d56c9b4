"""`ffn serve`: deployments, schedules, inboxes."""
