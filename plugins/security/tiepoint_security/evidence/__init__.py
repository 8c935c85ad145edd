"""Evidence: what an alert looked like, before, during and after, and what is usual there."""
