"""The order of day and month is decided once per file, from the whole column."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading.date_order import FIRST_ROWS, DateColumn
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FileScan, scan
from rollbook.studentfile.rules import DateOrder, FileRules
from rollbook.studentfile.values.birth_dates import proven_order

MONTH_FIRST, DAY_FIRST, MIXED = DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST, DateOrder.MIXED


def scan_dates(tmp_path: Path, *dates: str, order: DateOrder = MONTH_FIRST) -> FileScan:
    """Return the scan of a file with these dates of birth, from line 2 on."""
    rows = [f"{number:05},{born},4" for number, born in enumerate(dates)]
    return scan_text(tmp_path, "\n".join(["STUDENT_ID,DOB,GRADE", *rows]), order)


def scan_text(tmp_path: Path, text: str, order: DateOrder = MONTH_FIRST) -> FileScan:
    file = tmp_path / "students.csv"
    file.write_text(text, encoding="utf-8", newline="")
    return scan(file, rules=FileRules(order))


def decided(result: FileScan) -> DateOrder | str:
    """Return the order of the file, or the code for which it is refused."""
    return result.refusal.code if result.refusal else result.rules.date_order


@pytest.mark.parametrize(
    ("dates", "with_month_first", "with_day_first"),
    [
        (["05/06/2013"], MONTH_FIRST, DAY_FIRST),
        (["05/13/2013"], MONTH_FIRST, "month_first_dates"),
        (["05/06/2013", "5-31-2013"], MONTH_FIRST, "month_first_dates"),
        (["13/05/2014", "02/11/2013"], "day_first_dates", DAY_FIRST),
        (["02/11/2013", "13.05.2014"], "day_first_dates", DAY_FIRST),
        (["02/11/2013", "31-12-2014 00:00"], "day_first_dates", DAY_FIRST),
        (["05/06/2013", "13/05/2014", "05/13/2014"], MIXED, MIXED),
        (["13.05.2014", "05/13/2014"], MIXED, MIXED),
        (["2013-06-05", "20130613", "13 May 2014", "2013/06/13"], MONTH_FIRST, DAY_FIRST),
        (["2013-06-13", "13/05/2014"], "day_first_dates", DAY_FIRST),
        (["31/02/2014", "13/05/14", "99/99/9999", "13/05/2014 soon"], MONTH_FIRST, DAY_FIRST),
        ([" 13/05/2014 ", "02/11/2013"], "day_first_dates", DAY_FIRST),
        (['"13/05/2014"', "02/11/2013"], "day_first_dates", DAY_FIRST),
        ([' "13/05/2014"', "02/11/2013"], "day_first_dates", DAY_FIRST),
        (["", "", "13/05/2014"], "day_first_dates", DAY_FIRST),
        ([""], MONTH_FIRST, DAY_FIRST),
    ],
)
def test_the_evidence_and_the_setting_decide(
    tmp_path: Path,
    dates: list[str],
    with_month_first: DateOrder | str,
    with_day_first: DateOrder | str,
) -> None:
    assert decided(scan_dates(tmp_path, *dates)) == with_month_first
    assert decided(scan_dates(tmp_path, *dates, order=DAY_FIRST)) == with_day_first


def test_a_refusal_names_the_first_line_that_proves_it_and_the_setting(tmp_path: Path) -> None:
    refusal = scan_dates(tmp_path, "02/11/2013", "13/05/2014", "14/05/2014").refusal
    assert refusal
    assert (refusal.line, refusal.column, refusal.found) == (3, "DOB", "13/05/2014")
    assert refusal.message == (
        'The dates of birth have the day first, as "13/05/2014" proves. Set "Date order" to day '
        "first in the district settings (date_order=dmy), or export dates as mm/dd/yyyy or "
        "yyyy-mm-dd"
    )
    refusal = scan_dates(tmp_path, "02/11/2013", "5/13/2014", order=DAY_FIRST).refusal
    assert refusal
    assert (refusal.line, refusal.code) == (3, "month_first_dates")
    assert "date_order=mdy" in refusal.message


@pytest.mark.parametrize("order", [MONTH_FIRST, DAY_FIRST])
def test_one_date_with_another_order_is_named_in_a_warning(
    tmp_path: Path, order: DateOrder
) -> None:
    """The file isn't refused for one typo, but dates that could mean two days are rejected."""
    dates = [f"{1 + at % 12}/{1 + at % 28}/2013" for at in range(5000)]
    dates[4321] = "13/05/2014"
    result = scan_dates(tmp_path, *dates, order=order)
    assert decided(result) == MIXED
    [warning] = result.problems
    assert (warning.code, warning.line) == ("mixed_date_orders", 14)
    assert "Line 14 has the month first and line 4,323 the day first" in warning.message


@pytest.mark.parametrize(
    "template",
    [
        "{dob},1,4\n",
        "1,{dob},4\n",
        "1,4,{dob}\n",
        '"1","{dob}","4"\r\n',
        '"{dob}","1","4"\n',
        '"1","4","{dob}"\n',
        '1,{dob},"4, or 5"\n',
        '"two\nlines",{dob},4\n',
    ],
)
def test_the_column_is_found_in_every_kind_of_record(tmp_path: Path, template: str) -> None:
    cells = template.replace('"4, or 5"', "4").replace("two\nlines", "1").replace('"', "")
    header = cells.format(dob="Date of Birth").strip().split(",")
    names = [{"1": "STUDENT_ID", "4": "GRADE"}.get(name, name) for name in header]
    rows = [template.format(dob=dob) for dob in ["02/11/2013"] * 200 + ["13/05/2014"]]
    refusal = scan_text(tmp_path, ",".join(names) + "\n" + "".join(rows)).refusal
    lines_per_row = template.count("\n")
    assert refusal
    assert (refusal.code, refusal.line) == ("day_first_dates", 2 + 200 * lines_per_row)


def test_only_rows_with_all_cells_are_evidence(tmp_path: Path) -> None:
    text = "STUDENT_ID,DOB,GRADE\n" + "1,02/11/2013,4\n" * 9
    assert decided(scan_text(tmp_path, text + "1,13/05/2014\n")) == MONTH_FIRST
    assert decided(scan_text(tmp_path, text + "1,13/05/2014,4,5\n")) == MONTH_FIRST


def test_other_columns_are_no_evidence(tmp_path: Path) -> None:
    text = "STUDENT_ID,ADDITIONAL_INFO_1\n1,13/05/2014\n"
    assert decided(scan_text(tmp_path, text)) == MONTH_FIRST
    text = "STUDENT_ID,ADDITIONAL_INFO_1,DOB,_NOTE\n1,13/05/2014,05/13/2014,14.05.2014\n"
    assert decided(scan_text(tmp_path, text)) == MONTH_FIRST


@pytest.mark.parametrize(
    ("dates", "is_null"),
    [
        (["1970-01-01"], False),
        (["1/1/1970", "1/1/1970"], True),
        (["12/31/1969", "1970-01-01 00:00:00", "5/13/2014"], True),
        (["1970-01-01", "1970-01-01", "2014-05-14", "2014-05-15"], False),
        (["1970-01-01"] * 500 + ["2014-05-14"] * 499, True),
        (["2014-05-14"] * 500 + ["1970-01-01"] * 499, False),
        (["1970-01-02"] * 10, False),
    ],
)
def test_the_epoch_means_no_date_if_it_fills_the_column(
    tmp_path: Path, dates: list[str], is_null: bool
) -> None:
    assert scan_dates(tmp_path, *dates).rules.epoch_is_null is is_null


def test_the_other_rules_of_the_district_stay(tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_text("STUDENT_ID,DOB\n1,13/05/2014\n2,05/13/2014\n")
    rules = FileRules(DAY_FIRST, {"-1": "pk"})
    assert scan(file, rules=rules).rules == FileRules(MIXED, {"-1": "pk"})


@pytest.mark.parametrize("row", ["1,13/05/2014,,", '"1","13/05/2014",,', '1,"13/05/2014", ,'])
def test_dates_in_rows_with_surplus_commas_are_evidence(tmp_path: Path, row: str) -> None:
    file = tmp_path / "students.csv"
    file.write_text(f"STUDENT_ID,DOB\n{row}\n")
    assert {each.code for each in scan(file).problems} == {"surplus_commas", "day_first_dates"}


def test_memory_is_bounded(tmp_path: Path) -> None:
    column = DateColumn.of(Header.parse(["DOB", "STUDENT_ID"])[0])
    records = [b"%d,%s\n" % (number, b"x" * 10) for number in range(30_000)]
    for first in range(0, len(records), 600):  # the reader passes blocks of about this size
        block = records[first : first + 600]
        column.add_regular(block, 2 + first)
    column.add_rows([["13/05/2014", "1"]], 30_002)
    [problem] = column.decide(FileRules())[1]
    assert problem.line == 30_002


_CELLS = st.one_of(
    st.sampled_from(["13/05/2014", "05/13/2014", "5.6.2013", "1970-01-01", "", "31/2/2013", " x"]),
    st.from_regex(r"[0-3]?[0-9][/.-][0-3]?[0-9][/.-](20)?1[0-9]", fullmatch=True),
)


@given(st.lists(st.tuples(st.sampled_from(["a-b", "5.14.x@x.org", "13/", ""]), _CELLS)))
def test_each_date_is_examined_when_it_first_appears(rows: list[tuple[str, str]]) -> None:
    column = DateColumn.of(Header.parse(["STUDENT_ID", "DOB"])[0])
    column.add_regular([b"1,\r\n"] * FIRST_ROWS, 2)
    records = [f"{key},{born}\r\n".encode() for key, born in rows]
    for first in range(0, len(records), 3):
        column.add_regular(records[first : first + 3], 2 + FIRST_ROWS + first)
    orders = {proven_order(born) for _, born in rows} - {None}
    rules, problems = column.decide(FileRules(DAY_FIRST))
    assert (rules.date_order is MIXED) == (len(orders) == 2)
    assert bool(problems) == (MONTH_FIRST in orders)
