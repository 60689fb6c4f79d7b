"""gunicorn's response without the header that names gunicorn."""

from gunicorn.http import wsgi  # type: ignore[import-untyped]


class Response(wsgi.Response):  # type: ignore[misc]
    """A response that doesn't say what program sends it."""

    def default_headers(self) -> list[str]:
        """Return the lines that precede the application's headers."""
        lines: list[str] = super().default_headers()
        return [line for line in lines if not line.startswith("Server:")]


def hide_program() -> None:
    """Send all responses of this process without the header."""
    wsgi.Response = Response
