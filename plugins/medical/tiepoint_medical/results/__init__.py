"""What goes out: DICOM reports, FHIR resources and heat maps, all marked as unverified."""
