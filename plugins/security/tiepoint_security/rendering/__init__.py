"""Rendered scenes with ground truth: people-like figures who do what cameras are watched for."""
