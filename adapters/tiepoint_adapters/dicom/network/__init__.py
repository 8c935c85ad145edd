"""DICOM and reports from and to the network: DIMSE, DICOMweb, HL7 and watched folders."""
