"""The three upload commands for scripts: start, status and cancel."""
