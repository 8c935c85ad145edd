"""What is known beforehand: the findings, their names, and how they relate."""
