"""Alerts: from what rules see to messages that people get, once each."""
