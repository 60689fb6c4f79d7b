"""A batch of keys handed over to the database as one JSON array, which the database takes apart.

Lists as psycopg adapts them cost PostgreSQL five to eight times as much (docs/decisions/databases.md).
"""

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

# Each has one placeholder, for what ``handed_over`` gives.
AMONG_NUMBERS, AMONG_TEXTS, AMONG_NAMES = {
    "sqlite": (
        "IN (SELECT value FROM json_each(%s))",
        "IN (SELECT value FROM json_each(%s))",
        "IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(%s))",
    ),
    "postgresql": (
        "IN (SELECT value::bigint FROM json_array_elements_text(%s))",
        "IN (SELECT value FROM json_array_elements_text(%s))",
        "IN (SELECT value->>0, (value->>1)::date FROM json_array_elements(%s))",
    ),
}[connection.vendor]
"""What follows a column of numbers, a column of texts, and a pair of columns with a name key and a date of birth."""


def handed_over(keys: Collection[Any]) -> str:
    """The parameter behind one of the placeholders."""
    return json.dumps(list(keys))
