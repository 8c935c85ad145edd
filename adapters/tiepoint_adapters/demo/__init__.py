"""The demo: real photographs, real searches in every direction, one page that shows them."""
