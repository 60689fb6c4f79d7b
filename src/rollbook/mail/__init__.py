"""The outbox: the model of outgoing emails, sending, retries, and the layout of all emails."""
