"""What is kept: alerts, reviews, the audit log, evidence; and what awaits delivery."""
