"""The rules of the student file, module by module."""
