"""Amazon Textract's DetectDocumentText on one machine: the service's JSON protocol over a real OCR engine."""
