"""Show, create and change the groups of a school."""
