"""The web pages: a shell that the server renders, and ES modules that call the service."""
