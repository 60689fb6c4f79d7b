"""List updates, and show one with its progress, result and downloads."""
