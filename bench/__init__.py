"""``make bench``: measures Rollbook, its peers and the baseline on this machine."""
