"""Cases on their way into the collection: read, without what names a patient."""
