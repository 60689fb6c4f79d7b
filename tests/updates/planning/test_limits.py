"""Which limits an update would exceed, and which limits documents are refused."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.updates.planning.limits import (
    DEFAULT_LIMITS,
    MIN_REJECTED_ROWS,
    InvalidLimits,
    Limit,
    Limits,
    Reason,
    exceeded,
)
from rollbook.updates.planning.measures import MEASURES, Measured
from rollbook.updates.planning.summary import Counts, Summary

DISTRICT_EDGES = [
    # measure, counts that just reach the limit, counts that just exceed it, its figure
    ("deactivated", Counts(1000, deactivated=100), Counts(1000, deactivated=101), (101, 1000)),
    ("deactivated", Counts(60, deactivated=25), Counts(60, deactivated=26), (26, 60)),
    ("moved_out", Counts(1000, moved_out=100), Counts(1000, moved_out=101), (101, 1000)),
    ("moved_out", Counts(100, moved_out=50), Counts(100, moved_out=51), (51, 100)),
    ("changed", Counts(1000, changed=750), Counts(1000, changed=751), (751, 1000)),
    ("changed", Counts(120, changed=100), Counts(120, changed=101), (101, 120)),
    ("added", Counts(1000, added=250), Counts(1000, added=251), (251, 1000)),
    ("added", Counts(100, added=100), Counts(100, added=101), (101, 100)),
    ("rejected", Counts(9, rows=1000, rejected=200), Counts(9, 1000, rejected=201), (201, 1000)),
    ("rejected", Counts(9, rows=50, rejected=50), Counts(9, rows=51, rejected=51), (51, 51)),
    ("unknown", Counts(9, rows=100, unknown=50), Counts(9, rows=100, unknown=51), (51, 100)),
    ("dob_changed", Counts(9999, columns={"DOB": 99}), Counts(9999, columns={"DOB": 100}), None),
    ("names_changed", Counts(2000, renamed=20), Counts(2000, renamed=21), (21, 2000)),
    (
        "student_id_changed",
        Counts(100, columns={"STUDENT_ID": 20}),
        Counts(100, columns={"STUDENT_ID": 21}),
        (21, 100),
    ),
    (
        "username_changed",
        Counts(1000, columns={"USERNAME": 50}),
        Counts(1000, columns={"USERNAME": 51}),
        (51, 1000),
    ),
]


@pytest.mark.parametrize(("measure", "reached", "over", "figure"), DISTRICT_EDGES)
def test_a_limit_is_exceeded_above_its_share_and_its_number(
    measure: str, reached: Counts, over: Counts, figure: tuple[int, int] | None
) -> None:
    assert exceeded(Summary(reached), DEFAULT_LIMITS) == []
    reasons = exceeded(Summary(over), DEFAULT_LIMITS)
    assert [(reason.measure, reason.school) for reason in reasons] == [(measure, "")]
    count, of = figure or (100, 9999)
    assert reasons[0].measured == Measured(count, of)


def test_every_measure_has_a_limit_and_its_own_edge() -> None:
    assert set(DEFAULT_LIMITS.district) == set(MEASURES)
    assert set(DEFAULT_LIMITS.school) == set(MEASURES) - {"unknown"}
    assert {edge[0] for edge in DISTRICT_EDGES} | {"emptied"} == set(MEASURES)


def test_each_emptied_column_is_a_reason_of_its_own() -> None:
    counts = Counts(1000, emptied={"GROUPS": 51, "EMAIL": 400, "GRADE": 50})
    limit = DEFAULT_LIMITS.district["emptied"]
    assert exceeded(Summary(counts), DEFAULT_LIMITS) == [
        Reason("emptied", Measured(400, 1000, "EMAIL"), limit),
        Reason("emptied", Measured(51, 1000, "GROUPS"), limit),
    ]


def test_reasons_of_schools_follow_those_of_the_district() -> None:
    summary = Summary(
        Counts(1000, deactivated=140),
        {
            "20": Counts(100, deactivated=26),
            "10": Counts(100, deactivated=40, moved_out=60),
            "30": Counts(100, deactivated=25),
        },
    )
    reasons = [(reason.measure, reason.school) for reason in exceeded(summary, DEFAULT_LIMITS)]
    assert reasons == [
        ("deactivated", ""),
        ("deactivated", "10"),
        ("moved_out", "10"),
        ("deactivated", "20"),
    ]


def test_nothing_is_exceeded_where_nobody_is_active_yet() -> None:
    everything = Counts(0, 500, added=500, rejected=400, unknown=400)
    assert exceeded(Summary(everything, {"10": everything}), DEFAULT_LIMITS) == []


def test_of_ten_thousand_schools_each_is_judged() -> None:
    counts = Counts(100, changed=95)
    schools = dict.fromkeys(map(str, range(9999)), counts) | {"calm": Counts(100, changed=5)}
    reasons = exceeded(Summary(Counts(10**7), schools), DEFAULT_LIMITS)
    assert {reason.school for reason in reasons} == set(map(str, range(9999)))


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], "the limits must be an object in braces"),
        ({"deactivate": {}}, "there is no 'deactivate' in the limits; did you mean deactivated?"),
        ({"xyz": {}}, "there is no 'xyz' in the limits; there are deactivated, moved_out"),
        ({"added": 5}, "added must be an object in braces"),
        ({"added": {"schools": {}}}, "there is no 'schools' in added; did you mean school?"),
        ({"added": {"school": [10, 5]}}, "added.school must be an object in braces"),
        ({"added": {"school": {"percent": 5}}}, "added.school.count must be a whole number"),
        (
            {"added": {"school": {"share": 5, "count": 1}}},
            "there is no 'share' in added.school; there are percent, count",
        ),
        *(
            (
                {"added": {"district": {"percent": percent, "count": 1}}},
                "added.district.percent must be a whole number from 0 to 100",
            )
            for percent in (-1, 101, 10.5, True, "10", None, float("nan"))
        ),
        (
            {"rejected": {"school": {"percent": 5, "count": 19}}},
            "rejected.school.count can't be less than 20",
        ),
        (
            {"added": {"district": {"percent": 5, "count": -1}}},
            "added.district.count must be a whole number from 0 to 10,000,000",
        ),
    ],
)
def test_a_document_that_says_something_else_is_refused(document: object, error: str) -> None:
    with pytest.raises(InvalidLimits) as refused:
        Limits.from_json(document)
    assert error in str(refused.value)


LIMITS = st.builds(Limit, st.integers(0, 100), st.integers(0, 10_000_000))
OF_SCHOOLS = st.builds(Limit, st.integers(0, 100), st.integers(MIN_REJECTED_ROWS, 10_000_000))


@given(
    st.dictionaries(st.sampled_from(list(MEASURES)), LIMITS),
    st.dictionaries(st.sampled_from(list(MEASURES)), OF_SCHOOLS),
)
def test_a_document_says_the_limits_it_was_made_of(
    district: dict[str, Limit], school: dict[str, Limit]
) -> None:
    limits = Limits(district, school)
    assert Limits.from_json(limits.as_json()) == limits


MEASURED = st.integers(0, 400)
NAMES = st.sampled_from(["GRADE", "DOB", "USERNAME", "STUDENT_ID", "GROUPS"])


@st.composite
def counted(draw: st.DrawFn, active: int = 300, rows: int = 400) -> Counts:
    """Draw counts of a district or school of this size."""
    numbers = draw(st.lists(MEASURED, min_size=7, max_size=7))
    changed, added, moved_out, deactivated, rejected, unknown, renamed = numbers
    return Counts(
        active,
        rows,
        changed=changed,
        added=added,
        moved_out=moved_out,
        deactivated=deactivated,
        rejected=rejected,
        unknown=unknown,
        renamed=renamed,
        columns=draw(st.dictionaries(NAMES, MEASURED)),
        emptied=draw(st.dictionaries(NAMES, MEASURED)),
    )


def at_least(one: Counts, other: Counts) -> Counts:
    """Return the larger of each count."""
    columns = {name: max(one.columns.get(name, 0), n) for name, n in other.columns.items()}
    emptied = {name: max(one.emptied.get(name, 0), n) for name, n in other.emptied.items()}
    plain = ("changed", "added", "moved_out", "deactivated", "rejected", "unknown", "renamed")
    larger = {name: max(getattr(one, name), getattr(other, name)) for name in plain}
    return replace(
        one,
        **larger,
        columns={**one.columns, **columns},
        emptied={**one.emptied, **emptied},
    )


@given(
    counted(),
    counted(),
    st.dictionaries(st.sampled_from(list(MEASURES)), LIMITS),
    st.sets(st.sampled_from(["DOB", "STATUS", "SCHOOL_ID", "STUDENT_ADDED"])),
)
def test_doing_more_exceeds_no_fewer_limits_and_expecting_more_exceeds_no_more(
    one: Counts, other: Counts, by_measure: dict[str, Limit], expected: set[str]
) -> None:
    limits = Limits(by_measure, by_measure)
    more = at_least(one, other)

    def names(counts: Counts, expected: Collection[str] = ()) -> set[tuple[str, str, str]]:
        reasons = exceeded(Summary(counts, {"10": counts}), limits, expected)
        return {(each.measure, each.school, each.measured.column) for each in reasons}

    assert names(one) <= names(more)
    assert names(one, expected) <= names(one)


def test_new_students_can_be_expected() -> None:
    summary = Summary(Counts(100, added=101))
    assert [each.measure for each in exceeded(summary, DEFAULT_LIMITS)] == ["added"]
    assert exceeded(summary, DEFAULT_LIMITS, ["STUDENT_ADDED"]) == []
    assert len(exceeded(summary, DEFAULT_LIMITS, ["GRADE"])) == 1


def test_a_summary_is_stored_without_zeros() -> None:
    summary = Summary(Counts(10, changed=2, columns={"GRADE": 2}), {"7": Counts(5)})
    stored = summary.as_json()
    assert stored == {
        "district": {"active": 10, "changed": 2, "columns": {"GRADE": 2}},
        "schools": {"7": {"active": 5}},
    }
    assert Summary.from_json(stored) == summary
