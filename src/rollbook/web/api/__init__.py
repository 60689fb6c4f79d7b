"""The upload commands for scripts: start, status, cancel, approve and discard."""
