"""Compiled queries find what Django's own would, whatever the values."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import BooleanField, DateTimeField, IntegerField, Model, QuerySet, TextField
from django.utils import timezone

from rollbook.accounts.models import Member, SecondFactor
from rollbook.db.compiled_query import CompiledQuery, Parameter
from rollbook.db.connections import PREPARE_THRESHOLD

BY_LOGIN = CompiledQuery(
    lambda: Member.objects.select_related("district", "role", "second_factor").filter(
        email=Parameter("login", TextField()), holds_login=True
    )
)
ADDED = CompiledQuery(
    lambda: (
        Member.objects.filter(
            added_at__gt=Parameter("since", DateTimeField()),
            is_active=Parameter("active", BooleanField()),
            pk__in=[Parameter("one", IntegerField()), Parameter("other", IntegerField())],
        )
        .order_by("pk")
        .values_list("pk", "role__permissions", "added_at")
    )
)


def _columns(found: Model) -> dict[str, Any]:
    return {field.attname: getattr(found, field.attname) for field in found._meta.concrete_fields}


@pytest.mark.parametrize("has_factor", [False, True])
def test_an_object_has_all_values_and_what_it_refers_to(
    manager: Member, neighbor: Member, *, has_factor: bool
) -> None:
    if has_factor:
        SecondFactor.objects.create(
            member=neighbor, encrypted_secret="s", last_counter=1, enabled_at=timezone.now()
        )
    for member in (manager, neighbor, manager):
        found = BY_LOGIN.first(login=member.email)
        assert found is not None
        with connection.execute_wrapper(_refuse):
            assert _columns(found.district) == _columns(member.district)
            assert _columns(found.role) == _columns(member.role)
            assert found.has_second_factor == (has_factor and member == neighbor)
        assert _columns(found) == _columns(Member.objects.get(pk=member.pk))
        assert not found._state.adding


def _refuse(execute: Any, statement: str, *arguments: Any) -> None:
    raise AssertionError(statement)


@pytest.mark.parametrize("login", ["", "nobody@maple.example", "' OR 1=1 --", "%s"])
def test_nothing_is_found_for_another_value(manager: Member, login: str) -> None:
    assert BY_LOGIN.first(login=login) is None


@pytest.mark.parametrize("number", [1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63) - 1, 10**30])
def test_an_integer_that_no_row_has_is_in_none(manager: Member, number: int) -> None:
    long_ago = manager.added_at - timedelta(days=1)
    assert not list(ADDED.rows(since=long_ago, active=True, one=number, other=number))
    query = Member.objects.filter(pk=Parameter("key", IntegerField()))
    assert CompiledQuery(lambda: query).first(key=number) is None


def test_rows_are_those_of_the_values_that_are_passed(manager: Member, neighbor: Member) -> None:
    Member.objects.filter(pk=neighbor.pk).update(is_active=False)
    now = timezone.now()
    for since in (now - timedelta(days=1), now + timedelta(days=1)):
        for active in (True, False):
            for keys in ([manager.pk, neighbor.pk], [neighbor.pk, 0]):
                rows = ADDED.rows(since=since, active=active, one=keys[0], other=keys[1])
                assert list(map(tuple, rows)) == list(_added(since, keys, active=active))


def _added(since: datetime, keys: list[int], *, active: bool) -> QuerySet[Member, Any]:
    members = Member.objects.filter(added_at__gt=since, is_active=active, pk__in=keys)
    return members.order_by("pk").values_list("pk", "role__permissions", "added_at")


@pytest.mark.django_db(transaction=True)
def test_every_thread_uses_its_own_connection(manager: Member) -> None:
    query = CompiledQuery(lambda: Member.objects.filter(email=Parameter("login", TextField())))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_find_in_thread, query, manager.email).result()
    assert first == query.first(login=manager.email) == manager


def _find_in_thread(query: CompiledQuery[Member], login: str) -> Member | None:
    try:
        return query.first(login=login)
    finally:
        connection.close()


# Unlike an ALTER of its own, psycopg doesn't notice it, as if another process had migrated.
_ADD_COLUMN = "DO 'BEGIN ALTER TABLE accounts_member ADD COLUMN newer int DEFAULT 1; END'"
_PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '\\_pg3\\_%'"


@pytest.mark.only_on("postgresql")
def test_postgresql_prepares_a_query_that_a_connection_repeats(
    manager: Member, neighbor: Member
) -> None:
    """It finds what is there now, also with a new column, or if the plan was for another value."""
    connection.connection.prepare_threshold = PREPARE_THRESHOLD
    try:
        for number in range(4 * PREPARE_THRESHOLD):
            member = (manager, neighbor)[number % 2]
            Member.objects.filter(pk=member.pk).update(first_name=f"Ana {number}")
            found = BY_LOGIN.first(login=member.email)
            assert found is not None
            assert (found.pk, found.first_name) == (member.pk, f"Ana {number}")
            assert _prepared() == int(number >= PREPARE_THRESHOLD)
            if number == 3 * PREPARE_THRESHOLD:
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute(_ADD_COLUMN)
    finally:
        connection.connection.prepare_threshold = None


def _prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        return int(cursor.fetchone()[0])
