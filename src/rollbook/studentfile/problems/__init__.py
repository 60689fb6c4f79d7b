"""The problem codes of files and rows, and problems as they are reported."""
