"""The rules of the password policy, and their reasons."""

import pytest

from rollbook.accounts.auth.password_policy import normalize_password, policy_violations


@pytest.mark.statement("S02")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "x7!kQ2#mZ9$vB4&",
        "правильная лошадь",
        "🐎🔋📎 horse battery",
        "long enough " * 6,
    ],
)
def test_long_passwords_in_any_script_are_accepted(password: str) -> None:
    assert policy_violations(password, ("ops@maple.example", "Maple USD")) == []


@pytest.mark.statement("S02")
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("fourteen chars", "shorter than 15 characters"),
        ("ab-cd " * 171, "longer than 1,024 bytes"),
        ("abcabcabcabcabcabc", "fewer than 5 different characters"),
        ("passwordpassword", "common password"),
        ("1234567890" * 2, "common password"),
        ("Maple-USD autumn 2026", "contains 'Maple USD'"),
        ("my RollBook secret words", "contains 'rollbook'"),
        ("ops@maple.example 2026", "contains 'ops@maple.example'"),
        ("two lines\nare not one", "control characters"),
    ],
)
def test_bad_passwords_are_rejected_with_a_reason(password: str, reason: str) -> None:
    problems = policy_violations(password, ("ops@maple.example", "Maple USD"))
    assert [problem for problem in problems if reason in problem], problems


@pytest.mark.statement("S02")
def test_exactly_15_characters_and_exactly_1024_bytes_are_accepted() -> None:
    assert policy_violations("fifteen chars!!") == []
    assert policy_violations(("ab-cd " * 171)[:1024]) == []


def test_reasons_never_contain_the_password() -> None:
    assert not any("hunter2" in problem for problem in policy_violations("hunter2"))


def test_names_of_three_characters_are_allowed() -> None:
    assert policy_violations("a password of the ops people", ("ops",)) == []


def test_a_line_break_at_the_end_is_not_part_of_the_password() -> None:
    assert normalize_password("secret\r\n") == normalize_password("secret\n") == "secret"
    assert normalize_password("secret\n\n") == "secret\n"
