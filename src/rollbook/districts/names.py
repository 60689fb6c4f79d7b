"""The name of a district, and the short name that commands use for it."""

from django.utils.text import slugify

MAX_NAME_LENGTH = 100


def normalize_name(text: str) -> str:
    """Return the name without line breaks, which mail headers and log lines can't contain.

    Raises:
        ValueError: The name can't be used; the message says why, and ends without a period.
    """
    name = " ".join(text.split())
    if not (0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()):
        raise ValueError(
            f"the name of a district must have 1 to {MAX_NAME_LENGTH} printable characters"
        )
    return name


def check_slug(slug: str) -> None:
    """Check a short name.

    Raises:
        ValueError: It can't be used; the message says why, and ends without a period.
    """
    if not slug or slug != slugify(slug) or len(slug) > MAX_NAME_LENGTH:
        raise ValueError(
            "a short name consists of a–z, 0–9, hyphens and underscores, such as maple-usd"
        )
