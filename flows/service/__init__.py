"""The service ``ffn serve``: deployments, schedules, inboxes."""
