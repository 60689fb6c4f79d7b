"""The states, modes and row outcomes of updates, and the allowed state transitions.

     received ─► checking ─► applying ─► completed
         │           │           │
         ├───────────┴─► refused │         the file was not accepted: nothing was applied
         ├───────────┴───────────┴─► canceled    what was applied stays
                     └───────────┴─► failed      a problem on our side, with a reference

How successful an update was is shown by its counts, never by its state.
"""

from enum import StrEnum

from rollbook.db.triggers import Trigger


class State(StrEnum):
    """The state of an update."""

    RECEIVED = "received"
    CHECKING = "checking"
    APPLYING = "applying"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELED = "canceled"
    FAILED = "failed"


class Mode(StrEnum):
    """Which changes an update makes."""

    UPDATE = "update"
    ADD = "add"


class Outcome(StrEnum):
    """How a row ended. Rows without one when the update ends were not processed."""

    UPDATED = "updated"
    ADDED = "added"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.RECEIVED: (State.CHECKING, State.REFUSED, State.CANCELED),
    State.CHECKING: (State.APPLYING, State.REFUSED, State.CANCELED, State.FAILED),
    State.APPLYING: (State.COMPLETED, State.CANCELED, State.FAILED),
}
UNFINISHED = [state.value for state in TRANSITIONS]
IN_PROGRESS = [State.CHECKING.value, State.APPLYING.value]


def _refuse(name: str, event: str, condition: str, message: str) -> Trigger:
    return Trigger(
        name,
        event,
        condition=condition,
        sqlite=f"SELECT RAISE(ABORT, '{message}')",
        postgresql=f"RAISE integrity_constraint_violation USING MESSAGE = '{message}';",
    )


def _is_allowed() -> str:
    """Return the SQL condition that a change of state is one of ``TRANSITIONS``."""
    allowed = []
    for old, new_states in TRANSITIONS.items():
        names = ", ".join(f"'{new}'" for new in new_states)
        allowed.append(f"(OLD.state = '{old}' AND NEW.state IN ({names}))")
    return " OR ".join(allowed)


TRANSITION_TRIGGERS = (
    _refuse(
        "update_transitions",
        "BEFORE UPDATE OF state ON updates_updatejob",
        f"NOT ({_is_allowed()})",
        "an update cannot make this state transition",
    ),
    _refuse(
        "update_initial_state",
        "BEFORE INSERT ON updates_updatejob",
        f"NEW.state <> '{State.RECEIVED}'",
        "an update starts in the state received",
    ),
)
"""The database itself refuses every other transition, and every other initial state."""
