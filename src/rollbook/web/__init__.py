"""The HTTP interfaces: upload commands and pages. They contain no business rules."""
