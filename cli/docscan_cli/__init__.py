"""The `docscan` command: what people use from a terminal, against the local system or AWS."""
