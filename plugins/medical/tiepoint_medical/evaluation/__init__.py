"""The retrieval protocol on a site's own images and reports."""
