"""Events and products from files and databases, with columns mapped as the user says."""
