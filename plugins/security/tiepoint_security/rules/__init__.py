"""Rules: what has to be the case for an alert, as the deployment file says it."""
