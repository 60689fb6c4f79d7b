"""A batch of keys handed over to the database as one JSON array, which the database takes apart.

Lists as psycopg adapts them cost five to ten times as much on the way to PostgreSQL. And it is left no choice of plan:
each key is looked up in the index, also while the statistics of a table that is just being filled are wrong by a
million rows (docs/decisions/0008-databases.md).
"""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

# What follows a column of numbers or of texts. Each has one placeholder, for what ``handed_over`` gives.
IN_JSON_INTEGERS, IN_JSON_TEXTS = {
    "sqlite": ("IN (SELECT value FROM json_each(%s))",) * 2,
    "postgresql": (
        "= ANY(ARRAY(SELECT value::bigint FROM json_array_elements_text(%s)))",
        "= ANY(ARRAY(SELECT value FROM json_array_elements_text(%s)))",
    ),
}[connection.vendor]

_LATERAL_LOOKUP = {
    "sqlite": "json_each(%s) AS given CROSS JOIN {table} AS found ON {condition}",
    "postgresql": (
        "json_array_elements_text(%s) AS given(value)"
        " CROSS JOIN LATERAL (SELECT * FROM {table} AS found WHERE {condition} OFFSET 0) AS found"
    ),
}[connection.vendor]


def lateral_lookup_sql(table: str, condition: str) -> str:
    """What follows FROM: for each key that is handed over, ``given.value``, the rows ``found`` in the table."""
    return _LATERAL_LOOKUP.format(table=table, condition=condition)


def as_json_parameter(keys: Iterable[Any]) -> str:
    """The parameter behind one of the placeholders."""
    return json.dumps(list(keys))
