"""What a frame shows: things that move, followed from frame to frame, and their looks."""
