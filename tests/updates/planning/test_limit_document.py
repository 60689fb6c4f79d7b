"""What a limits document says, and which documents are refused."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.updates.planning.limit_document import LimitDocument, Profile, WhenExceeded
from rollbook.updates.planning.limit_file import MAX_BYTES, read_document
from rollbook.updates.planning.limits import DEFAULT_LIMITS, InvalidLimits, Limit, Limits
from rollbook.updates.planning.measures import MEASURES

ROLLOVER = {"name": "rollover", "first": "2027-06-01", "last": "2027-07-15", "limits": {}}

LIMITS = st.dictionaries(
    st.sampled_from(list(MEASURES)),
    st.builds(Limit, st.integers(0, 100), st.integers(20, 10_000_000)),
)
DAYS = st.dates(date(2020, 1, 1), date(2100, 1, 1))


@st.composite
def profiles(draw: st.DrawFn) -> tuple[Profile, ...]:
    """Draw profiles with different names."""
    names = st.lists(st.sampled_from(["rollover", "Été", "summer 2", "夏"]), unique=True)
    drawn = []
    for name in draw(names):
        first = draw(DAYS)
        last = first + timedelta(days=draw(st.integers(0, 90)))
        drawn.append(Profile(name, first, last, Limits(draw(LIMITS), draw(LIMITS))))
    return tuple(drawn)


DOCUMENTS = st.builds(
    LimitDocument,
    st.builds(Limits, LIMITS, LIMITS),
    profiles(),
    st.sampled_from(list(WhenExceeded)),
    st.integers(1, 336),
    st.booleans(),
)


@given(DOCUMENTS)
def test_a_document_is_read_back_as_it_was_written(document: LimitDocument) -> None:
    assert read_document(json.dumps(document.as_json()).encode()) == document
    assert LimitDocument.from_json(document.as_json()) == document


@given(DOCUMENTS, DAYS)
def test_the_first_profile_of_a_day_replaces_the_standing_limits(
    document: LimitDocument, day: date
) -> None:
    current = [each for each in document.profiles if each.first <= day <= each.last]
    limits, name = document.limits_on(day)
    if current:
        assert (limits, name) == (current[0].limits, current[0].name)
    else:
        assert (limits, name) == (document.limits, "")


def test_what_a_document_leaves_out_is_as_by_default() -> None:
    assert read_document(b"{}") == LimitDocument()
    assert LimitDocument().limits == DEFAULT_LIMITS


def test_a_byte_order_mark_is_ignored() -> None:
    assert read_document(b'\xef\xbb\xbf{"second_person": true}').second_person


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "line 1 isn't JSON: expecting value"),
        (b"{\n'a': 1}", "line 2 isn't JSON: expecting property name"),
        (b"[]", "the document must be an object in braces"),
        (b"\xff{}", "the document isn't in UTF-8; save it in that encoding"),
        (b'{"limit": {}}', "there is no 'limit' in the document; did you mean limits?"),
        (b'{"limits": {}, "limits": {}}', "'limits' is there twice in the same braces"),
        (b"[" * 200_000, "the document has too many braces within each other"),
        (b'{"discard_after_hours": ' + b"9" * 5000 + b"}", "a number in the document is too long"),
        (b" " * (MAX_BYTES + 1), "the document has more than 262,144 bytes"),
        (b'{"\\ud800\\u0000": 1}', "there is no '' in the document"),
        (
            b'{"limits": {"added": {"school": {"percent": 101, "count": 1}}}}',
            "added.school.percent must be a whole number from 0 to 100",
        ),
        (
            b'{"limits": {"rejected": {"school": {"percent": 1, "count": 1}}}}',
            "rejected.school.count can't be less than 20, because",
        ),
    ],
)
def test_a_file_that_is_no_document_is_refused(content: bytes, error: str) -> None:
    with pytest.raises(InvalidLimits) as refused:
        read_document(content)
    assert error in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"profiles": {}}, "profiles must be a list of at most 20"),
        ({"profiles": [ROLLOVER] * 21}, "profiles must be a list of at most 20"),
        ({"profiles": [3]}, "a profile must be an object in braces"),
        (
            {"profiles": [ROLLOVER, {**ROLLOVER, "name": "ROLLOVER "}]},
            "two profiles are called 'rollover'; rename one of them",
        ),
        (
            {"profiles": [{**ROLLOVER, "last": "2027-05-31"}]},
            "the profile 'rollover' ends on 2027-05-31, before it begins on 2027-06-01",
        ),
        (
            {"profiles": [{**ROLLOVER, "first": "June 1"}]},
            "first of the profile 'rollover' must be a date such as 2027-06-30",
        ),
        ({"profiles": [{**ROLLOVER, "last": None}]}, "last of the profile 'rollover' must be"),
        (
            {"profiles": [{**ROLLOVER, "limits": {"x": 1}}]},
            "there is no 'x' in the limits",
        ),
        (
            {"profiles": [{"name": "a", "first": "2027-06-01", "last": "2027-06-01"}]},
            "the profile 'a' has no limits; add them",
        ),
        *(
            ({"profiles": [{**ROLLOVER, "name": name}]}, "a profile needs a name of at most 60")
            for name in ("", "  ", "x" * 61, None, 5, "a\0b", "a\nb", "\ud800")
        ),
        ({"when_exceeded": "apply"}, "when_exceeded must be one of 'hold', 'hold schools'"),
        ({"when_exceeded": ["hold"]}, "when_exceeded must be one of 'hold', 'hold schools'"),
        *(
            (
                {"discard_after_hours": hours},
                "discard_after_hours must be a whole number from 1 to 336",
            )
            for hours in (0, 337, 1.5, True, "72", None)
        ),
        ({"second_person": "yes"}, "second_person must be true or false"),
    ],
)
def test_what_is_not_possible_is_refused_in_a_sentence(
    change: dict[str, object], error: str
) -> None:
    with pytest.raises(InvalidLimits) as refused:
        LimitDocument.from_json(change)
    assert error in str(refused.value)
