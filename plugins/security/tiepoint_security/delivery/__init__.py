"""Delivery: messages leave through a durable outbox, each at least once, under a stable key."""
