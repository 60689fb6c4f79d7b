"""Named SQL queries, one per file in this folder.

A query is stored in ``<name>.sql``, or in ``<name>.postgresql.sql`` and ``<name>.sqlite.sql``
where the databases differ. Each file starts with a comment on what the query does, and an example
row.
"""

from functools import cache
from importlib.resources import files

from django.db import connection


def named_query(name: str, /, **placeholders: str) -> str:
    """Return the text of a query for the database in use.

    Args:
        name: The file's name without its endings.
        placeholders: The text for each ``{placeholder}`` of the query. Only names of our own
            columns and the fragments of ``rollbook.db.json_keys`` may be inserted this way;
            values are always passed as parameters.

    Raises:
        FileNotFoundError: There is no such query for this database.
    """
    query = _load(name)
    for placeholder, text in placeholders.items():
        query = query.replace("{" + placeholder + "}", text)
    return query


@cache
def _load(name: str) -> str:
    """Read the file once, without its comments, which may contain ``%`` and braces."""
    folder = files(__name__)
    file = folder / f"{name}.{connection.vendor}.sql"
    if not file.is_file():
        file = folder / f"{name}.sql"
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
