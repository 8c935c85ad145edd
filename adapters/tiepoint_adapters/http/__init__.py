"""The service: an HTTP interface to a host, and to its plugins."""
