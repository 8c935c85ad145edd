"""Showing now and then what is not known to be best, so that it can be learned what is."""
