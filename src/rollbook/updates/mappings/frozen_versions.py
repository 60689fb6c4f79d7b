"""The database itself refuses changes of a version of a column mapping: files depend on it."""

from rollbook.db.triggers import Trigger

_MESSAGE = "a version of a column mapping cannot be changed"

MAPPING_TRIGGER = Trigger(
    "column_mapping_frozen",
    "BEFORE UPDATE ON updates_columnmapping",
    sqlite=f"SELECT RAISE(ABORT, '{_MESSAGE}')",
    postgresql=f"RAISE integrity_constraint_violation USING MESSAGE = '{_MESSAGE}';",
)
