"""Operators' site: read-only admin pages that only ``rollbook admin`` serves, on the host alone."""
