"""What is kept of the work: jobs, the worklist, and who did what."""
