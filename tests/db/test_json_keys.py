"""A batch of keys that the database takes apart: each finds what equals it, and nothing else."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.db.json_keys import (
    IN_JSON_INTEGERS,
    IN_JSON_TEXTS,
    as_json_parameter,
    lateral_lookup_sql,
)
from rollbook.districts.models import District, School
from tests import depth
from tests.db.test_bulk import NASTY

TEXTS = [text for text in NASTY if 0 < len(text) <= 64]
# What the one or the other database can neither keep nor be asked for.
any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
in_one_test = settings(
    max_examples=depth.examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def school(maple: District) -> District:
    """With a school for each of the texts."""
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="x") for text in TEXTS
    )
    return maple


def asked(question: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return [cell for (cell,) in cursor.fetchall()]


def among(keys: list[str]) -> list[str]:
    return asked(
        f"SELECT organization_id FROM districts_school WHERE organization_id {IN_JSON_TEXTS}",
        as_json_parameter(keys),
    )


def found(district: District, keys: list[str]) -> list[tuple[str, str]]:
    source = lateral_lookup_sql(
        "districts_school", "found.district_id = %s AND found.organization_id = given.value"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT given.value, found.organization_id FROM {source}",
            [as_json_parameter(keys), district.pk],
        )
        return list(cursor.fetchall())


@pytest.mark.usefixtures("school")
def test_every_text_finds_itself_and_nothing_else() -> None:
    for text in TEXTS:
        assert among([text]) == [text]
    assert sorted(among(TEXTS)) == sorted(TEXTS)


def test_every_text_that_is_looked_up_finds_its_row(school: District) -> None:
    for text in TEXTS:
        assert found(school, [text]) == [(text, text)]
    assert sorted(found(school, TEXTS)) == sorted((text, text) for text in TEXTS)


@pytest.mark.usefixtures("school")
def test_an_empty_list_finds_nothing(maple: District) -> None:
    assert among([]) == []
    assert found(maple, []) == []
    assert (
        asked(f"SELECT id FROM districts_school WHERE id {IN_JSON_INTEGERS}", as_json_parameter([]))
        == []
    )


@pytest.mark.usefixtures("school")
def test_a_text_that_nothing_equals_finds_nothing(maple: District) -> None:
    for text in (
        "nothing",
        "%",
        "_",
        "NUL",
        "Null",
        "zo\u00eb",
        "\u00e9",
        "0",
        "12",
        "100 ",
        '"',
        "[]",
    ):
        assert (among([text]), found(maple, [text])) == ([], [])


def test_numbers_are_found_as_numbers(maple: District) -> None:
    keys = set(School.objects.values_list("pk", flat=True))
    question = f"SELECT id FROM districts_school WHERE id {IN_JSON_INTEGERS}"
    largest = (1 << 63) - 1
    assert set(asked(question, as_json_parameter([*keys, 0, -1, largest, -largest - 1]))) == keys
    assert asked(question, as_json_parameter([largest])) == []
    assert set(asked(question, as_json_parameter(keys))) == keys  # any collection will do


def test_a_key_that_comes_twice_is_looked_up_twice_and_among_others_counts_once(
    maple: District,
) -> None:
    assert found(maple, ["100", "100"]) == [("100", "100")] * 2
    assert among(["100", "100"]) == ["100"]


def test_what_is_looked_up_within_a_district_is_found_there_only(
    maple: District, cedar: District
) -> None:
    assert found(maple, ["100", "200", "900"]) == [("100", "100"), ("200", "200")]
    assert found(cedar, ["100", "200", "900"]) == [("100", "100"), ("900", "900")]


@in_one_test
@given(st.sets(any_text.filter(bool), max_size=8), st.lists(any_text, max_size=8))
def test_what_is_found_is_what_python_finds(
    maple: District, there: set[str], keys: list[str]
) -> None:
    School.objects.all().delete()
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="x") for text in there
    )
    assert sorted(among(keys)) == sorted(there & set(keys))
    assert sorted(found(maple, keys)) == sorted((key, key) for key in keys if key in there)
