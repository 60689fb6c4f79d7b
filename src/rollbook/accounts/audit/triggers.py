"""Triggers that prevent sealed audit events and seals from being changed or removed.

Retention may remove events, after it has stored in their seal how many.
"""

from rollbook.db.triggers import Trigger

_MESSAGE = "audit events are sealed"
_PRESENT = "(SELECT count(*) FROM accounts_auditevent WHERE seal_id = OLD.seal_id)"
_EXPECTED = "(SELECT events - removed_events FROM accounts_auditseal WHERE number = OLD.seal_id)"
_RAISE = f"RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'restrict_violation';"
_SEAL_MESSAGE = "seals of the audit log are permanent"
_RAISE_SEAL = f"RAISE EXCEPTION '{_SEAL_MESSAGE}' USING ERRCODE = 'restrict_violation';"
_SEAL_COLUMNS = ("number", "events", "at", "digest", "key_version", "covers_time")

AUDIT_TRIGGERS = (
    Trigger(
        "audit_sealed_update",
        "BEFORE UPDATE ON accounts_auditevent",
        condition="OLD.seal_id IS NOT NULL",
        sqlite=f"SELECT RAISE(ABORT, '{_MESSAGE}')",
        postgresql=_RAISE,
    ),
    Trigger(
        "audit_sealed_delete",
        "BEFORE DELETE ON accounts_auditevent",
        condition="OLD.seal_id IS NOT NULL",
        sqlite=f"SELECT RAISE(ABORT, '{_MESSAGE}') WHERE NOT coalesce({_PRESENT} > {_EXPECTED}, 0)",
        postgresql=f"IF {_PRESENT} > {_EXPECTED} THEN RETURN OLD; END IF; {_RAISE}",
    ),
    Trigger(
        "audit_seal_update",
        "BEFORE UPDATE ON accounts_auditseal",
        condition=" OR ".join(f"OLD.{name} <> NEW.{name}" for name in _SEAL_COLUMNS)
        + " OR OLD.removed_events > NEW.removed_events",
        sqlite=f"SELECT RAISE(ABORT, '{_SEAL_MESSAGE}')",
        postgresql=_RAISE_SEAL,
    ),
    Trigger(
        "audit_seal_delete",
        "BEFORE DELETE ON accounts_auditseal",
        sqlite=f"SELECT RAISE(ABORT, '{_SEAL_MESSAGE}')",
        postgresql=_RAISE_SEAL,
    ),
    Trigger(
        "audit_event_truncate",
        "BEFORE TRUNCATE ON accounts_auditevent",
        per_statement=True,
        sqlite="",
        postgresql=_RAISE,
    ),
    Trigger(
        "audit_seal_truncate",
        "BEFORE TRUNCATE ON accounts_auditseal",
        per_statement=True,
        sqlite="",
        postgresql=_RAISE_SEAL,
    ),
)
"""Retention first stores in the seal how many events it will remove, then removes them."""
