"""What a radiology report says: sections, sentences, and statements about findings."""
