"""The rules of the password policy, and their reasons."""

import re
from time import process_time

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
        "a sentence of sixty-four characters, which nobody else would use",
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
        ("zxcvbnm,./';lkjhgfdsa", "a keyboard pattern"),
        ("asdfghjkl;'qwertyuiop[]", "a keyboard pattern"),
        ("1qaz2wsx3edc4rfv5tgb", "most of it is a common password"),
        ("qazwsxedcrfvtgbyhnujm", "most of it is a common password"),
        ("abcdefghijklmnopq", "a sequence"),
        ("9876543210 98765", "a sequence"),
        ("aaaaabbbbbcccccdddddeeeee", "a repetition"),
        ("xk7#q" * 4, "a repetition"),
        ("summer2026summer", "few attempts"),
        ("qwertyuiop asdfghjkl", "few attempts"),
        ("christopherjames", "few attempts"),
        ("Passwordpassword1", "few attempts"),
        ("nemvxyheqdd5oqxyxyzi", "common password"),
        ("my mapleusd words here", "contains 'Maple USD'"),
    ],
)
@pytest.mark.statement("S02")
def test_bad_passwords_are_rejected_with_a_reason(password: str, reason: str) -> None:
    problems = policy_violations(password, ("ops@maple.example", "Maple USD"))
    assert [problem for problem in problems if reason in problem], problems
    assert all(re.fullmatch(r"(it|most of it) .+: .+", problem) for problem in problems)


@pytest.mark.statement("S02")
def test_exactly_15_characters_and_exactly_1024_bytes_are_accepted() -> None:
    assert policy_violations("fifteen chars!!") == []
    longest = " ".join(f"{number**3 * 7919:x}" for number in range(2, 200))[:1024]
    assert (len(longest), policy_violations(longest)) == (1024, [])
    assert policy_violations(longest + "!") == ["it is longer than 1,024 bytes: use a shorter one"]


def test_a_long_password_is_checked_quickly() -> None:
    started_at = process_time()
    policy_violations("aB3$" * 256)
    assert process_time() - started_at < 2


def test_reasons_never_contain_the_password() -> None:
    assert not any("hunter2" in problem for problem in policy_violations("hunter2"))


def test_names_of_three_characters_are_allowed() -> None:
    assert policy_violations("a password of the ops people", ("ops",)) == []


def test_a_line_break_at_the_end_is_not_part_of_the_password() -> None:
    assert normalize_password("secret\r\n") == normalize_password("secret\n") == "secret"
    assert normalize_password("secret\n\n") == "secret\n"
