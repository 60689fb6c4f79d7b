"""A JSON array of keys: each finds the rows that equal it, and no others."""

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
# Without characters that one of the databases can neither store nor look up.
any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
in_one_test = settings(
    max_examples=depth.examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def school(maple: District) -> District:
    """A district with a school for each of the texts."""
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="x") for text in TEXTS
    )
    return maple


def fetch_column(query: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [cell for (cell,) in cursor.fetchall()]


def keys_in(keys: list[str]) -> list[str]:
    return fetch_column(
        f"SELECT organization_id FROM districts_school WHERE organization_id {IN_JSON_TEXTS}",
        as_json_parameter(keys),
    )


def lookup(district: District, keys: list[str]) -> list[tuple[str, str]]:
    source = lateral_lookup_sql(
        "districts_school",
        "school",
        "school.district_id = %s AND school.organization_id = item.value",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT item.value, school.organization_id FROM {source}",
            [as_json_parameter(keys), district.pk],
        )
        return list(cursor.fetchall())


@pytest.mark.usefixtures("school")
def test_every_text_finds_itself_and_nothing_else() -> None:
    for text in TEXTS:
        assert keys_in([text]) == [text]
    assert sorted(keys_in(TEXTS)) == sorted(TEXTS)


def test_every_text_is_looked_up_in_a_lateral_join(school: District) -> None:
    for text in TEXTS:
        assert lookup(school, [text]) == [(text, text)]
    assert sorted(lookup(school, TEXTS)) == sorted((text, text) for text in TEXTS)


@pytest.mark.usefixtures("school")
def test_an_empty_list_finds_nothing(maple: District) -> None:
    assert keys_in([]) == []
    assert lookup(maple, []) == []
    assert (
        fetch_column(
            f"SELECT id FROM districts_school WHERE id {IN_JSON_INTEGERS}", as_json_parameter([])
        )
        == []
    )


@pytest.mark.usefixtures("school")
def test_an_unknown_text_finds_nothing(maple: District) -> None:
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
        assert (keys_in([text]), lookup(maple, [text])) == ([], [])


def test_numbers_are_found_as_numbers(maple: District) -> None:
    keys = set(School.objects.values_list("pk", flat=True))
    query = f"SELECT id FROM districts_school WHERE id {IN_JSON_INTEGERS}"
    largest = (1 << 63) - 1
    assert (
        set(fetch_column(query, as_json_parameter([*keys, 0, -1, largest, -largest - 1]))) == keys
    )
    assert fetch_column(query, as_json_parameter([largest])) == []
    assert set(fetch_column(query, as_json_parameter(keys))) == keys  # any collection will do


def test_a_repeated_key_is_looked_up_twice_but_found_in_a_column_once(
    maple: District,
) -> None:
    assert lookup(maple, ["100", "100"]) == [("100", "100")] * 2
    assert keys_in(["100", "100"]) == ["100"]


def test_lookups_are_limited_to_the_district(maple: District, cedar: District) -> None:
    assert lookup(maple, ["100", "200", "900"]) == [("100", "100"), ("200", "200")]
    assert lookup(cedar, ["100", "200", "900"]) == [("100", "100"), ("900", "900")]


@in_one_test
@given(st.sets(any_text.filter(bool), max_size=8), st.lists(any_text, max_size=8))
def test_results_are_the_same_as_in_python(
    maple: District, stored: set[str], keys: list[str]
) -> None:
    School.objects.all().delete()
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="x") for text in stored
    )
    assert sorted(keys_in(keys)) == sorted(stored & set(keys))
    assert sorted(lookup(maple, keys)) == sorted((key, key) for key in keys if key in stored)
