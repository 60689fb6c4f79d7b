"""Files that were damaged on their way are named, with figures; a fix makes them right again."""

import csv
import io

import pytest
from django.utils import timezone

from rollbook.cli.update_report import report_lines
from rollbook.districts.models import District
from rollbook.studentfile.fixes import Fix, FixStep
from rollbook.updates.feed.findings import Finding
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import Limit, Limits
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.state_machine import Mode, State
from tests.conftest import make_district
from tests.data import nights
from tests.updates import night

pytestmark = pytest.mark.django_db

SIZE = 120


@pytest.fixture(scope="module")
def made() -> nights.District:
    return nights.District.make(SIZE, seed=5)


@pytest.fixture(scope="module")
def sent_once(kept: None, made: nights.District) -> tuple[District, bytes]:
    """Return a district after a few nights, and its export of the first of them."""
    district = make_district("Maple USD", *made.schools)
    limits = Limits({"deactivated": Limit(100, 1000)}, {})
    limit_sets.save(district, LimitDocument(limits), None, timezone.now())
    first = made.unchanged()
    for data in (first, *(made.ordinary(changes=6) for _ in range(3))):
        night.finish(night.send_bytes(district, data, Mode.ADD).update)
    return district, first


@pytest.fixture
def maple(sent_once: tuple[District, bytes], db: None) -> District:
    return District.objects.get(pk=sent_once[0].pk)


def checked(district: District, data: bytes, mode: Mode = Mode.UPDATE) -> UpdateJob:
    update = night.send_bytes(district, data, mode, is_check=True).update
    night.finish(update)
    return update


def findings(update: UpdateJob) -> list[Finding]:
    return [Finding.from_json(each) for each in update.findings or []]


def messages(update: UpdateJob) -> list[str]:
    return [each.message for each in night.stored_problems(update) if each.line is None]


HINTS = {
    "lost zeros": (
        "ids_changed_form",
        "STUDENT_ID lost its leading zeros: {n} of {n} unknown IDs match when padded to 8",
    ),
    "point zero": (
        "ids_changed_form",
        "STUDENT_ID ends in .0: {n} of {n} unknown IDs match when without .0 and padded to 8",
    ),
    "prefixed": (
        "ids_changed_form",
        "STUDENT_ID has got a prefix: {n} of {n} unknown IDs match when without STU-",
    ),
    "scientific": (
        "shape_changed",
        "STUDENT_ID looks different in 100 % of the rows: most are like 9.99A+99, and were like "
        "99999999",
    ),
    "capitals": (
        "shape_changed",
        " % of the rows: most are like A+, and were like Aa+",
    ),
    "blanked": (
        "shape_changed",
        "SCHOOL_ID is blank in 100 % of the rows, and was in 0 %",
    ),
    "shifted": (
        "columns_shifted",
        "10 of 12 changed columns, from MIDDLE_INITIAL on, look like the one before it did",
    ),
    "truncated": ("fewer_rows", "It has {part} rows, and update 4 had {n}"),
    "other district": (
        "other_students",
        "{n} of {n} rows are about no student of update 4",
    ),
}


@pytest.mark.parametrize("name", nights.HARMED)
def test_a_harmed_file_is_named_with_its_figures(
    name: str, maple: District, made: nights.District
) -> None:
    update = checked(maple, nights.HARMED[name](made.rows))
    code, hint = HINTS[name]
    rows = len(made.rows)
    found = findings(update)
    assert (found[0].code, found[0].holds) == (code, True)
    assert hint.format(n=rows, part=3 * rows // 5) in messages(update)[0]
    assert update.problem_counts[code] == 1
    plan = night.report_of(update).plan
    assert plan
    assert plan.reasons[0] == found[0].reason()


@pytest.mark.parametrize("name", ["lost zeros", "point zero", "prefixed"])
def test_the_offered_fix_makes_the_file_right(
    name: str, maple: District, made: nights.District
) -> None:
    data = nights.HARMED[name](made.rows)
    fixes = findings(checked(maple, data))[0].fixes
    assert fixes
    fixed = checked(maple, fix_file(data, fixes))
    assert (fixed.rows_rejected, fixed.rows_unchanged) == (0, len(made.rows))
    assert fixed.findings is None


def fix_file(data: bytes, fixes: tuple[Fix, ...]) -> bytes:
    header, *rows = csv.reader(io.StringIO(data.decode()))
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(header)
    for row in rows:
        for fix in fixes:
            at = header.index(fix.column)
            row[at] = fix.apply(row[at])
        writer.writerow(row)
    return output.getvalue().encode()


def test_ids_in_another_case_are_named(maple: District) -> None:
    rows = [f"ab{number:04},A{number},Lee,05/13/2014" for number in range(30)]
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB"
    other = make_district("Oak USD", "100")
    night.enroll(other, "\n".join([header, *rows]))
    sent = ["STUDENT_ID,GRADE", *(f"AB{number:04},5" for number in range(30))]
    update = checked(other, "\n".join(sent).encode())
    (found,) = findings(update)
    assert found.fixes == (Fix("STUDENT_ID", FixStep.CASE, "lower"),)
    assert "is in another case: 30 of 30 unknown IDs match" in messages(update)[0]


def test_a_few_other_ids_hide_no_prefix(maple: District, made: nights.District) -> None:
    others = [list(row) for row in made.waiting[:3]]
    for row in others:
        row[nights.AT["STUDENT_ID"]] = f"new{row[nights.AT['STUDENT_ID']]}"
    data = nights.prefixed(made.rows) + nights.text_of(others).partition(b"\n")[2]
    assert findings(checked(maple, data))[0].fixes == (
        Fix("STUDENT_ID", FixStep.STRIP_PREFIX, "STU-"),
    )


def test_a_fix_that_is_not_proven_is_not_offered(maple: District, made: nights.District) -> None:
    """One ID in five is unknown in any form."""
    rows = [list(row) for row in made.rows]
    for row in rows[::5]:
        row[nights.AT["STUDENT_ID"]] = f"77{row[nights.AT['STUDENT_ID']][2:]}"
    found = findings(checked(maple, nights.lost_zeros(rows)))[0]
    assert (found.code, found.fixes) == ("ids_changed_form", ())
    assert found.count == len(rows) - len(rows[::5])


def test_the_export_of_last_week_goes_back(
    maple: District, sent_once: tuple[District, bytes]
) -> None:
    update = checked(maple, sent_once[1])
    undone, earlier = findings(update)
    assert (undone.code, undone.holds, earlier.code) == ("goes_back", True, "earlier_file")
    assert (undone.count, undone.of) == (undone.of, update.rows_staged)
    assert messages(update) == [
        f"The file undoes changes of the last two weeks. {undone.count} of {undone.of} changes "
        "undo a change of the last 14 days",
        "The same file was sent on an earlier night, and another one since. It is the file of "
        "update 1",
    ]


def test_dates_that_prove_day_first_refuse_the_file(maple: District, made: nights.District) -> None:
    update = night.send_bytes(maple, nights.day_first(made.rows)).update
    assert (update.state, update.problem_counts) == (State.REFUSED, {"day_first_dates": 1})


def test_dates_that_prove_nothing_are_compared_with_the_students(db: None) -> None:
    district = make_district("Oak USD", "100")
    night.enroll(district, night.a_class(12, DOB="05/{0:02}/2013").replace("/00/", "/12/"))
    sent = night.a_class(12, DOB="{0:02}/05/2013").replace(",00/", ",12/")
    update = checked(district, sent.encode())
    (found,) = findings(update)
    assert (found.code, found.count, found.of) == ("dates_day_first", 11, 11)
    assert found.fixes == (Fix("DOB", FixStep.DATE_ORDER, "dmy"),)


def test_a_file_that_was_cut_off_early_is_no_part(maple: District, made: nights.District) -> None:
    """A person may send a part of the students, but hardly the first ones of the last file."""
    (found,) = findings(checked(maple, nights.text_of(made.rows[:40])))
    assert (found.code, found.holds) == ("fewer_rows", True)
    assert findings(checked(maple, nights.text_of(made.rows[1::3]))) == []


def test_a_longer_file_is_named(maple: District, made: nights.District) -> None:
    more = nights.text_of([*made.rows, *made.waiting])
    found = findings(checked(maple, more, Mode.ADD))
    (named,) = (each for each in found if each.code != "shape_changed")
    assert (named.code, named.count) == ("more_rows", len(made.waiting))


class TestDecisions:
    def test_an_update_is_held_until_a_person_approves_it(
        self, maple: District, made: nights.District
    ) -> None:
        update = night.send_bytes(maple, nights.capitals(made.rows)).update
        result = night.finish(update)
        assert (result.state, update.rows_updated) == (State.HELD, 0)
        assert result.plan
        sentence = reason_sentence(result.plan.reasons[0])
        assert " rows look different in LAST_NAME than in the last file (9" in sentence
        assert sentence.endswith(" %; the limit is 25 % and 0)")
        lines = list(report_lines(update))
        assert f"  {sentence}" in lines
        assert any("shape_changed" in line for line in lines)
        decider, now = Decider(None), timezone.now()
        decisions.approve(maple, update.number, result.plan.digest, decider, now)
        assert night.finish(update).state is State.COMPLETED

    def test_expected_changes_let_it_through(self, maple: District, made: nights.District) -> None:
        night.expect(maple, "LAST_NAME")
        update = night.send_bytes(maple, nights.capitals(made.rows)).update
        assert night.finish(update).state is State.COMPLETED
        assert update.problem_counts == {"shape_changed": 1}

    def test_a_district_without_limits_gets_a_warning(
        self, maple: District, made: nights.District
    ) -> None:
        night.lift_limits(maple)
        update = night.send_bytes(maple, nights.capitals(made.rows)).update
        assert night.finish(update).state is State.COMPLETED
        assert update.problem_counts == {"shape_changed": 1}

    def test_a_file_that_changes_nothing_is_not_held(
        self, maple: District, made: nights.District
    ) -> None:
        update = night.send_bytes(maple, nights.lost_zeros(made.rows)).update
        result = night.finish(update)
        assert (result.state, result.rejected) == (State.COMPLETED, len(made.rows))
        assert "ids_changed_form" in update.problem_counts
