"""The states, modes and row outcomes of updates, and the allowed state transitions.

     received ─► checking ─► applying ─► completed
         │           │           │
         ├───────────┴─► refused │         the file was not accepted: nothing was applied
         ├───────────┴───────────┴─► canceled    what was applied stays
                     ├───────────┴─► failed      a problem on our side, with a reference
                     │
                     ├─► checked       a dry run: its plan waits to be applied
                     ├─► held          its plan exceeds a limit
                     └─► scheduled     its plan waits for a time

     checked | held | scheduled ─► applying | discarded

A plan that waits may be applied from its ``apply_at`` on; while that is null, a person must approve
it. An update that is split from another one is held as soon as it exists. How successful an update
was is shown by its counts, never by its state.
"""

from enum import StrEnum

from rollbook.db.triggers import Trigger


class State(StrEnum):
    """The state of an update."""

    RECEIVED = "received"
    CHECKING = "checking"
    CHECKED = "checked"
    HELD = "held"
    SCHEDULED = "scheduled"
    APPLYING = "applying"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELED = "canceled"
    FAILED = "failed"
    DISCARDED = "discarded"


DISCARDED_BY_PERSON, EXPIRED, REPLACED, CANCELED = "person", "expired", "replaced", "canceled"
"""Why a plan was discarded; see ``UpdateJob.discard_reason``."""


class Mode(StrEnum):
    """Which changes an update makes."""

    UPDATE = "update"
    ADD = "add"
    SYNC = "sync"

    @property
    def adds(self) -> bool:
        """Whether new students are added."""
        return self is not Mode.UPDATE


class Outcome(StrEnum):
    """How a row ended. Rows without one when the update ends were not processed.

    ``deactivated`` is that of a staged row without a line: a student whom the file doesn't name.
    It is never stored, and not among the outcomes that add up to the rows of the file.
    """

    UPDATED = "updated"
    ADDED = "added"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    LEFT_OUT = "left_out"
    DEACTIVATED = "deactivated"


TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.RECEIVED: (State.CHECKING, State.REFUSED, State.CANCELED, State.HELD),
    State.CHECKING: (
        State.APPLYING,
        State.CHECKED,
        State.HELD,
        State.SCHEDULED,
        State.REFUSED,
        State.CANCELED,
        State.FAILED,
    ),
    State.CHECKED: (State.APPLYING, State.DISCARDED),
    State.HELD: (State.APPLYING, State.DISCARDED),
    State.SCHEDULED: (State.APPLYING, State.DISCARDED),
    State.APPLYING: (State.COMPLETED, State.CANCELED, State.FAILED),
}
UNFINISHED = [state.value for state in TRANSITIONS]
"""The update has not ended: its file and its staged rows are still needed."""

IN_PROGRESS = [State.CHECKING.value, State.APPLYING.value]
"""A run works on the update; only one of a district's updates is in such a state."""

IN_QUEUE = [State.RECEIVED.value, *IN_PROGRESS]
"""Nobody has to decide about the update."""

PLAN_WAITING = [State.CHECKED.value, State.HELD.value, State.SCHEDULED.value]
"""The plan of the update is complete and waits, for a person or for its time."""

REPLAYED = [State.RECEIVED.value, State.CHECKING.value, *PLAN_WAITING[1:], State.APPLYING.value]
"""The same file, sent again in the same way, is answered with this update."""

EVENT_STATES = (
    State.CHECKED,
    State.HELD,
    State.COMPLETED,
    State.CANCELED,
    State.REFUSED,
    State.FAILED,
    State.DISCARDED,
)
"""The transition into these states is recorded as an event, from which emails are sent."""


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
