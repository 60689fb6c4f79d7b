"""A PostgreSQL server that the tests and the benchmark bring themselves, and that never outlives them."""


class PostgresProblem(Exception):
    """There is no server to test with; the text says why, and what to do."""
