"""Collections: where items are kept, and how their neighbours are found."""
