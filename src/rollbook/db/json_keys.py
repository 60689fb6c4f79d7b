"""Pass many keys to the database as one parameter, a JSON array that the database unpacks.

Lists adapted by psycopg take five to ten times as long to reach PostgreSQL. With these queries it
also has no choice of plan: each key is looked up in the index, even while the statistics of a
growing table are wrong by a million rows (docs/decisions/0008-databases.md).
"""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

# Conditions to append to a column of integers or texts. Each has one placeholder, for the
# parameter that ``as_json_parameter`` returns.
IN_JSON_INTEGERS, IN_JSON_TEXTS = {
    "sqlite": ("IN (SELECT value FROM json_each(%s))",) * 2,
    "postgresql": (
        "= ANY(ARRAY(SELECT value::bigint FROM json_array_elements_text(%s)))",
        "= ANY(ARRAY(SELECT value FROM json_array_elements_text(%s)))",
    ),
}[connection.vendor]

_LATERAL_LOOKUP = {
    "sqlite": "json_each(%s) AS item CROSS JOIN {table} AS {alias} ON {condition}",
    "postgresql": (
        "json_array_elements_text(%s) AS item(value) CROSS JOIN LATERAL"
        " (SELECT * FROM {table} AS {alias} WHERE {condition} OFFSET 0) AS {alias}"
    ),
}[connection.vendor]


def lateral_lookup_sql(table: str, alias: str, condition: str) -> str:
    """Return the FROM items of a query that finds the rows of a table for each key.

    Args:
        table: The name of the table.
        alias: The alias of the table in ``condition`` and in the query.
        condition: Which rows belong to the key ``item.value``.
    """
    return _LATERAL_LOOKUP.format(table=table, alias=alias, condition=condition)


def as_json_parameter(keys: Iterable[Any]) -> str:
    """Return the keys as the parameter for ``IN_JSON_…`` or ``lateral_lookup_sql``."""
    return json.dumps(list(keys))
