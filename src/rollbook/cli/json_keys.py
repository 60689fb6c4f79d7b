"""What the JSON of each command contains, for the reference page; a test compares it with both.

Only the keys of the outermost object, or of the objects in a list, have entries of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Keys = Mapping[str, str]
"""Key to meaning."""


@dataclass(frozen=True)
class JsonForm:
    """The JSON of one command.

    Attributes:
        keys: The keys of the object, or of each object in the list.
        is_list: Whether it is a list of objects.
        optional: The keys that are only there if they apply.
    """

    keys: Keys
    is_list: bool = False
    optional: Keys = field(default_factory=dict)


PROBLEM = "each with `line`, `column`, `code`, `severity` and `message`"
FILE = "`name`, `bytes` and `sha256` of the file as it was sent"

UPDATE_LINE: Keys = {
    "update": "the number of the update",
    "state": "its state, see [the states](architecture.md#states)",
    "mode": "`update`, `add` or `sync`",
    "file": FILE,
    "rows": "the number of rows in the file",
    "updated": "rows that changed a student",
    "added": "rows that added a student",
    "unchanged": "rows that changed nothing",
    "rejected": "rows that were rejected",
    "deactivated": "students who were deactivated because the file doesn't name them",
    "received_at": "when the file was received",
    "started_at": "when processing started",
    "ended_at": "when the update ended",
}
REPORT = JsonForm(
    {
        "verdict": "the first words of the report, such as `COMPLETED WITH ERRORS`",
        "message": "the first line of the report",
        **UPDATE_LINE,
        "district": "the name of the district",
        "read": "rows that have been checked so far",
        "staged": "rows that differ from a student",
        "left_out": "rows of schools that were left out when the plan was approved",
        "not_processed": "rows that were not processed because the update ended first",
        "absences": "in full sync, the numbers of missing students, otherwise `null`",
        "warnings": "the number of warnings",
        "ignored_columns": "the names of columns that Rollbook doesn't read",
        "progressed_at": "when the last rows were processed",
        "seconds_left": "an estimate, `null` if there is none",
        "waiting_for": "the numbers of the updates that come first",
        "started_by": "the login of the person who started it, `null` for the operator",
        "reference": "of a failed update, what to search the log for",
        "is_check": "whether it is a dry run",
        "note": "what the sender says about the file",
        "column_mapping": "`name` and `version` of the column mapping, or `null`",
        "split_from": "the number of the update from which it was split, or `null`",
        "split_into": "the numbers of the updates that were split from it",
        "undoes": "the number of the update whose changes it sets back, or `null`",
        "undone_by": "the number of the update that has set back its changes, or `null`",
        "link": "the address of its page",
        "plan": "the [plan](plans.md): its `digest`, `summary`, `reasons`, `findings` and decision",
        "mends": "the number of the update whose rejected rows the file fixes, or `null`",
        "mended_by": "the numbers of the updates that fix rejected rows of this one",
        "counts": "the number of problems by code",
        "problems": f"all problems that are kept, {PROBLEM}",
    }
)
DECISION = JsonForm({"update": "the number of the update", "state": "its state now"})
DISTRICT: Keys = {
    "district": "the short name",
    "name": "the name",
    "state": "`active`, `suspended` or `being deleted`",
    "suspended_at": "since when it has been suspended, or `null`",
    "suspension_reason": "why",
    "deleting_since": "since when it is being deleted, or `null`",
    "removed_so_far": "how many rows the deletion has removed",
    "students_active": "the number of active students",
    "students_inactive": "the number of inactive students",
    "schools": "the number of schools",
    "staff_active": "the number of active staff members",
    "last_update": "the number of the last update, or `null`",
    "last_update_state": "its state",
    "last_update_ended_at": "when it ended",
    "unfinished_updates": "the number of updates that are queued, running or held",
    "stored_files": "the number of uploaded files that are kept",
    "stored_bytes": "their bytes",
    "last_export_at": "when the district was last exported, or `null`",
    "last_export": "the path of that archive",
    "time_zone": "the time zone",
}
EMAIL: Keys = {
    "id": "the ID that `rollbook outbox show` takes",
    "state": "`queued`, `retrying`, `bounced`, `failed`, `obsolete` or `sent`",
    "district": "the short name of the district",
    "to": "the address",
    "about": "the kind of email, or the update",
    "queued_at": "when it was queued",
    "attempts": "how often it was tried",
    "next_attempt_at": "when it is tried next, or `null`",
    "sent_at": "when the mail server accepted it, or `null`",
    "error": "why the last attempt failed",
}
LOGIN: Keys = {"login": "the login of the staff member"}
SLUG: Keys = {"district": "the short name of the district"}

FORMS: Mapping[str, JsonForm] = {
    "rollbook apply": JsonForm(
        {
            "applied": "whether anything may have been changed; `false` with `--plan`",
            "changes": "each with `district` and `text`",
            "problems": "what is wrong with the file, a string each",
        }
    ),
    "rollbook status": JsonForm(
        {
            "worker": "`running` or `not running`",
            "districts": "each with `district`, `name`, `suspended_at`, `last_update`, "
            "`last_good_file_at`, `waiting` and `problems`",
        }
    ),
    "rollbook district list": JsonForm(DISTRICT, is_list=True),
    "rollbook district show": JsonForm(DISTRICT),
    "rollbook school list": JsonForm(
        {
            "school_id": "the SCHOOL_ID",
            "name": "the name",
            "students_active": "the number of active students",
            "students_inactive": "the number of inactive students",
        },
        is_list=True,
    ),
    "rollbook staff list": JsonForm(
        {
            **SLUG,
            "login": "the email address with which the member signs in",
            "first_name": "the first name",
            "last_name": "the last name",
            "role": "the role",
            "state": "`active`, `invited` or `deactivated`",
            "two_step_verification": "whether it is on",
            "receives_results": "whether the member gets the results of every update",
            "last_sign_in": "when the member last signed in, or `null`",
            "schools": "the SCHOOL_IDs of the member's schools",
        },
        is_list=True,
    ),
    "rollbook student check": REPORT,
    "rollbook student load": REPORT,
    "rollbook student show": JsonForm(
        {
            "record": "column to value, without the password",
            "absence": "`since`, `files` and `deactivated_at` of a missing student, or `null`",
            "history": "each change with `at`, `field`, `old`, `new`, `update` and `member`",
            "problems": f"of the last ten updates, each with `update` too, {PROBLEM}",
        }
    ),
    "rollbook schedule show": JsonForm(
        {
            "times": "day to the time by which the file is expected",
            "grace_minutes": "how much later it may be",
            "count": "`complete` or `any`",
            "pauses": "each with `first` and `last`",
            "missing_since": "since when a file is missing, or `null`",
            "next_expected": "when the next file is expected, or `null`",
            "quiet_hours": "day to first and last time",
        }
    ),
    "rollbook sync show": JsonForm(
        {
            "modes": "`scripts`, `pages` and `cli`, each with its modes",
            "absent_files": "in how many files a student is missing before they're deactivated",
            "absent_days": "on how many days",
            "last_file": "what the last file would have done in full sync, or `null`",
        }
    ),
    "rollbook limits show": JsonForm(
        {
            "limits": "measure to the limits of the `district` and of one `school`",
            "profiles": "limits that replace these from one day to another",
            "when_exceeded": "what happens when a limit is exceeded",
            "discard_after_hours": "after how many hours a plan that waits is discarded",
            "second_person": "whether a second person must approve",
        }
    ),
    "rollbook limits try": JsonForm(
        {
            "judged": "the number of past updates that were tried",
            "would_be_held": "how many of them would be held",
            "were_held": "how many were held",
            "updates": "each with `update`, `at`, `was_held`, `reasons` and `more_reasons`",
        }
    ),
    "rollbook limits expect": JsonForm(
        {
            "number": "the number that `--end` takes",
            "columns": "the columns that may change",
            "until": "when it ends",
            "for_one_update": "whether it ends with the next update",
        },
        is_list=True,
    ),
    "rollbook mapping list": JsonForm(
        {"name": "the name", "version": "the version", "saved_at": "when it was saved"},
        is_list=True,
    ),
    "rollbook mapping show": JsonForm(
        {
            "format": "the version of the [document](column-mapping.md)",
            "name": "the name",
            "version": "the version",
            "columns": "each with `to`, `from` and perhaps `steps`",
            "keep": "conditions on rows",
            "ignore": "columns that are ignored",
        }
    ),
    "rollbook file check": JsonForm(
        {
            "verdict": "`OK`, `WITH ERRORS` or `REFUSED`; with `--against` also `HELD`",
            "message": "the first line of the result",
            "file": "`name` and `bytes`",
            "rows": "the number of rows",
            "rejected": "the rows that would be rejected",
            "counts": "the number of problems by code",
            "problems": f"all problems, {PROBLEM}",
        },
        optional={
            "encoding": "the encoding in which the file was read; not with `--against`",
            "not_checked": "what was not checked; not with `--against`",
            "not_known": "with `--against`: what isn't known here",
            "schools": "with `--against`: school to the numbers of its students that would change",
            "first_changes": "with `--against`: the first changes",
        },
    ),
    "rollbook update start": REPORT,
    "rollbook update watch": REPORT,
    "rollbook update cancel": REPORT,
    "rollbook update retry": REPORT,
    "rollbook update undo": REPORT,
    "rollbook update list": JsonForm(UPDATE_LINE, is_list=True),
    "rollbook update show": REPORT,
    "rollbook update approve": DECISION,
    "rollbook update discard": DECISION,
    "rollbook session list": JsonForm(
        {
            **SLUG,
            **LOGIN,
            "signed_in_at": "when the session began",
            "last_seen_at": "when it was last used",
            "address": "the IP address",
            "browser": "the browser",
        },
        is_list=True,
    ),
    "rollbook token list": JsonForm(
        {
            **SLUG,
            "login": "the login of its owner",
            "token": "the first part of the token, without its secret",
            "name": "the name",
            "commands": "the upload commands that it may call",
            "created_at": "when it was created",
            "expires_at": "when it expires",
            "last_used_at": "when it was last used, or `null`",
            "networks": "the networks from which it works; empty: all",
            "limits": "what updates that it starts may do",
        },
        is_list=True,
    ),
    "rollbook throttle list": JsonForm(
        {"blocked": "the limits that are reached now", "failures": "failed sign-ins"}
    ),
    "rollbook outbox list": JsonForm(EMAIL, is_list=True),
    "rollbook outbox show": JsonForm(EMAIL),
    "rollbook audit who-saw": JsonForm(
        {
            "at": "when",
            "who": "the login, or the program and the system user",
            "member": "the login, or `null`",
            "action": "what was done",
            "result": "how it ended",
            "detail": "to what it was done",
            "address": "the IP address, or `null`",
            "agent": "the browser or program",
        },
        is_list=True,
    ),
    "rollbook certificate list": JsonForm(
        {
            "number": "the number",
            **SLUG,
            "what": "what was destroyed",
            "started_at": "when that began",
            "finished_at": "when it ended, or `null`",
            "removed": "kind to the number of rows that were removed",
        },
        is_list=True,
    ),
    "rollbook certificate show": JsonForm(
        {
            "statement": "what is certified",
            "signature": "the signature of the statement",
            "public_key": "the key with which it is verified",
        }
    ),
    "rollbook keys list": JsonForm(
        {
            "keys": "each version with `key`, `version`, `state`, `created_at`, `file`, "
            "`needed_by` and `purpose`"
        }
    ),
    "rollbook alert list": JsonForm(
        {
            "alerts": "each with `code`, `title`, `state`, `detail`, `to_do`, `opened_at`, "
            "`seen_at`, `notified_at` and `resolved_at`"
        }
    ),
    "rollbook doctor": JsonForm(
        {
            "healthy": "whether there are no errors",
            "errors": "the number of errors",
            "warnings": "the number of warnings",
            "findings": "each with `part`, `result`, `what` and `to_do`",
        }
    ),
}
"""Of the commands with JSON of their own."""
