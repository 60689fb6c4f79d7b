"""The words of an update, and the moves between its states that the database allows.

     received ─► checking ─► applying ─► completed
         │           │           │
         ├───────────┴─► refused │      the file is not acceptable: nothing was applied
         ├───────────┴───────────┴─► canceled   what was applied stays
                     └───────────┴─► failed     our fault; carries a reference

How well an update went is told by its counts, never by its state.
"""

from enum import StrEnum


class State(StrEnum):
    """Where an update stands."""

    RECEIVED = "received"
    CHECKING = "checking"
    APPLYING = "applying"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELED = "canceled"
    FAILED = "failed"


class Mode(StrEnum):
    """What an update may do."""

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


def transition_triggers(vendor: str) -> list[str]:
    """The statements that make the database itself refuse every other move, and every other beginning."""
    allowed = " OR ".join(
        f"(OLD.state = '{old}' AND NEW.state IN ({', '.join(map(repr, map(str, news)))}))"
        for old, news in TRANSITIONS.items()
    )
    return [statement.format(allowed=allowed, first=State.RECEIVED) for statement in _TRIGGERS[vendor]]


_TRIGGERS = {
    "postgresql": (
        """
CREATE FUNCTION update_moves() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE integrity_constraint_violation USING MESSAGE = TG_ARGV[0]; END $$""",
        """
CREATE TRIGGER update_moves BEFORE UPDATE OF state ON updates_update FOR EACH ROW WHEN (NOT ({allowed}))
EXECUTE FUNCTION update_moves('an update cannot make this move')""",
        """
CREATE TRIGGER update_begins BEFORE INSERT ON updates_update FOR EACH ROW WHEN (NEW.state <> '{first}')
EXECUTE FUNCTION update_moves('an update begins as received')""",
    ),
    "sqlite": (
        """
CREATE TRIGGER update_moves BEFORE UPDATE OF state ON updates_update WHEN NOT ({allowed})
BEGIN SELECT RAISE(ABORT, 'an update cannot make this move'); END""",
        """
CREATE TRIGGER update_begins BEFORE INSERT ON updates_update WHEN NEW.state <> '{first}'
BEGIN SELECT RAISE(ABORT, 'an update begins as received'); END""",
    ),
}
