"""``make bench``: Rollbook, its peers and the floor, measured side by side on this machine."""
