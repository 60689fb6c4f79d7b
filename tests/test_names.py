"""Names that were replaced by standard terms stay out of the code and of its docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUFFIXES = {".html", ".md", ".py", ".sql", ".toml", ".txt"}
PLACES = ("src", "tests", "bench", "examples", "docs", "README.md", "CONTRIBUTING.md", "Makefile")

OLD_PACKAGES = ("database", "doors", "engine", "format", "roster", "staff")

# Only names that mean nothing else: `update` and `row` are words of the domain, too.
OLD_NAMES = """
    AMONG_NUMBERS AMONG_TEXTS AT_ONCE A_FEW A_LITTLE AlreadyOn BY_OTHER_WAYS BadLink
    CannotListen CheckedRow CodeFailed DraftGone ENDED_AS EndlessRecordError FEWEST_CHARACTERS
    FEW_FILES FILES_AT_ONCE FILE_KINDS FIRST_LINES FIRST_PAUSE FIRST_PROBLEMS FileFacts
    GIVE_UP_AFTER GOOD_FOR GroupRefused HALF_WAY HEAD_START KEPT_FOR KNOWN_FOR KeyMark
    LARGEST_ROW LATEST_SIGN LINES_AT_ONCE LONGEST_AGENT LONGEST_ANSWER LONGEST_CHECK
    LONGEST_DETAIL LONGEST_FOUND LONGEST_GROUP_NAME LONGEST_LOGIN LONGEST_NAME LONGEST_NOTE
    LONGEST_PAUSE LONGEST_STEP LONGEST_TEXT LONG_LIFE LastNight LetterKind LostFile MAYBE_NAMES
    MOST_DEATHS MOST_LINES MOST_LINES_A_ROW MOST_NAMED MOST_RAGGED MOST_ROWS MOST_SHOWN
    MOST_WAITING MOST_WARNINGS MemberRefused NewerDatabase NotTheirs OLDEST_PYTHON OLDEST_SQLITE
    OTHER_KINDS_OF_FILE OtherKeys PER_ADDRESS PER_LOGIN PER_LOGIN_AND_ADDRESS PER_LOGIN_OF_CODES
    PasswordNotEnough PasswordRefused PlainRevision REQUESTS_PER_ADDRESS ROWS_AT_ONCE ROW_KINDS
    RoleRefused RowDigest RowRules SEND_BUFFER SLOWEST_WHOLE STANDS_STILL SchoolRefused
    SecondHand SettingsRefused StaffLetter StudentRefused SwitchedOn TOLD_WITH
    TURN_OF_THE_NAMELESS TURN_OF_THE_WAITING TableRefused TokenFailed TokenNotMade
    TransferRefused UNSENT_LONG UPLOADS_OF_ONE USED_EVERY WAITS_LONG WORTH_IT WaitsFor _at_most
    _at_rest _begin_of_line _behind_header _check_together _codes_of _column_meant _empty_keys
    _fail_if_it_kills _fault_of_letters _fault_of_no_date _fault_of_number _give_up
    _headers_again _held_question _in_words _is_good _is_last _is_let_go _is_of_staff _is_remark
    _is_told _keep_history _known_twice _look_after _look_at _look_at_cells _look_at_quotes
    _make_room _new_twice _note_failure _note_not_enough _of_age _of_another_kind _of_names
    _of_password _of_wrong_length _on_duty _plan_another _put_down _require_room _settle_stretch
    _up_to _waiting_in_vain _wanted_twice _what_rows_say a_district a_form a_member announced_at
    applied_turn are_there as_said as_typed ask_for_password asked_at asked_by begin_half
    begun_at bring_up broken_cell by_pk by_post compare_bytes csv_of day_of delete_old
    details_closed_at draft_kept encoding_of ended_by facts_of fault_of_free_text fault_of_text
    fault_of_value fields_understood file_facts first_half for_line forget_draft forget_some
    forget_wrong gets_results half_way hand_over handed_over in_order in_use in_work is_moving
    is_ours is_passing is_same keeping_silent known_encoding last_at last_night last_step let_go
    let_others_pass look_after look_into looked_up made_at matches_import_mark may_finish
    may_move_back member_keys missing_to_add name_of named_in next_try_at not_throttled
    not_too_large note_code_failure note_failure note_request noted_if_odd
    nothing_in_the_address number_of_page of_a_web_server of_a_worker of_json of_known_length
    on_one_line on_since open_ones open_page other_end other_kind_of_file others_wait
    page_of_query pass_over pause_after problems_with put_down put_in put_into read_as
    rely_on_indexes remove_old remove_some require_address require_code require_ended
    require_kept require_request require_right require_same require_whole rest_digest
    revise_plainly room_for_it row_values scene_of seal_some seen_by setting_up
    sweep_of_a_web_server switch_off switch_off_second_factor switch_on take_out take_turns
    takes_dob takes_name_key takes_student_id takes_username tell_mail that_ended the_format
    told_columns upgrade_some_hashes whole_group whole_school with_links without_zeros
    worker_alive worker_seen wrap_passwords wrap_some write_letters written_at wrote_lately
""".split()

MODULE = re.compile(r"`([a-z_/]+\.py)`")


def texts() -> list[tuple[str, str]]:
    """Return the path and the text of every file that is checked, except this one."""
    paths: list[Path] = []
    for place in PLACES:
        path = ROOT / place
        paths += path.rglob("*") if path.is_dir() else [path]
    found = []
    for path in sorted(paths):
        is_text = path.suffix in SUFFIXES or path.name == "Makefile"
        if is_text and path != Path(__file__):
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
    return found


def test_no_old_name_is_left() -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(OLD_NAMES)})\b")
    uses = []
    for path, text in texts():
        uses += [f"{path}: {name}" for name in pattern.findall(text)]
    assert uses == []


@pytest.mark.parametrize("package", OLD_PACKAGES)
def test_no_old_package_is_left(package: str) -> None:
    assert not (ROOT / "src" / "rollbook" / package).exists()
    uses = [path for path, text in texts() if re.search(rf"\brollbook\.{package}\b", text)]
    assert uses == []


def test_every_module_that_is_mentioned_exists() -> None:
    modules = {path.name for path in ROOT.glob("*/**/*.py")}
    missing = []
    for path, text in texts():
        mentioned = {Path(name).name for name in MODULE.findall(text)}
        missing += [f"{path}: {name}" for name in sorted(mentioned - modules)]
    assert missing == []
