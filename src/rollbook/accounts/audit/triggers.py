"""Triggers that prevent sealed audit events from being changed or removed, except by retention."""

from rollbook.db.triggers import Trigger

_MESSAGE = "audit events are sealed"
_PRESENT = "(SELECT count(*) FROM accounts_auditevent WHERE seal_id = OLD.seal_id)"
_EXPECTED = "(SELECT events - removed_events FROM accounts_auditseal WHERE number = OLD.seal_id)"
_RAISE = f"RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'restrict_violation';"

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
)
"""Retention first stores in the seal how many events it will remove, then removes them."""
