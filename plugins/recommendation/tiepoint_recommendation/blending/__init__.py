"""The blend of rankers, with weights that are learned for each segment of users."""
