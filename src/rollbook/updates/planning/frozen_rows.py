"""The database itself refuses changes of what a plan says, until its update has ended.

It also refuses changes of a version of limits, which may have judged a plan.
"""

from rollbook.db.triggers import Trigger
from rollbook.updates.state_machine import PLAN_WAITING, State

_MESSAGE = "a row of a plan cannot be changed"
_LIMITS_MESSAGE = "a version of limits cannot be changed"
_COLUMNS = (
    "values_json",
    "student_id",
    "student_version",
    "columns",
    "school",
    "to_school",
    "claims_student_id",
    "claims_username",
)
_STATES = ", ".join(f"'{state}'" for state in [*PLAN_WAITING, State.APPLYING.value])
_IS_FROZEN = (
    "EXISTS (SELECT 1 FROM updates_updatejob"
    f" WHERE updates_updatejob.id = OLD.update_id AND state IN ({_STATES}))"
)

FROZEN_ROW_TRIGGERS = (
    Trigger(
        "staged_row_frozen",
        f"BEFORE UPDATE OF {', '.join(_COLUMNS)} ON updates_stagedrow",
        sqlite=f"SELECT RAISE(ABORT, '{_MESSAGE}') WHERE {_IS_FROZEN}",
        postgresql=(
            f"IF {_IS_FROZEN} THEN"
            f" RAISE integrity_constraint_violation USING MESSAGE = '{_MESSAGE}'; END IF;"
            " RETURN NEW;"
        ),
    ),
    Trigger(
        "limit_set_frozen",
        "BEFORE UPDATE ON updates_limitset",
        sqlite=f"SELECT RAISE(ABORT, '{_LIMITS_MESSAGE}')",
        postgresql=f"RAISE integrity_constraint_violation USING MESSAGE = '{_LIMITS_MESSAGE}';",
    ),
)
