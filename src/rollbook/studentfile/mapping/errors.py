"""What is wrong with the document of a mapping, each error with its place."""

from collections.abc import Collection, Sequence


class InvalidMapping(Exception):
    """The document of a mapping has errors; each is a sentence that begins with its place."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


class Errors:
    """Collects the errors of one document."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: str, what: str) -> None:
        """Add an error.

        Args:
            place: Where it is, such as ``columns[2] (DOB)``.
            what: What is wrong and how to fix it, without a period.
        """
        self.found.append(f"{place}: {what}")

    def raise_any(self) -> None:
        """Raise the errors that were found.

        Raises:
            InvalidMapping: There are any.
        """
        if self.found:
            raise InvalidMapping(self.found)


def check_keys(stored: Collection[str], known: Collection[str], place: str, errors: Errors) -> None:
    """Report keys of an object that mean nothing."""
    for key in stored:
        if key not in known:
            errors.add(place, f"'{key}' is not a key here; use {', '.join(known)}")
