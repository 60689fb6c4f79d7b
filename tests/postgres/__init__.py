"""A PostgreSQL server that tests and benchmark start themselves, and that never outlives them."""


class PostgresProblem(Exception):
    """There is no server to test with; the text says why, and what to do."""
