"""Business rules: what merchandisers pin, lift, lower, keep out, and allow only so often."""
