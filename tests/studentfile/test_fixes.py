"""What each fix does to a value."""

import pytest

from rollbook.studentfile.fixes import Fix, FixStep


@pytest.mark.parametrize(
    ("step", "argument", "value", "fixed", "words"),
    [
        (FixStep.PAD, "5", "123", "00123", "padded to 5"),
        (FixStep.PAD, "5", "123456", "123456", "padded to 5"),
        (FixStep.PAD, "5", "A1", "A1", "padded to 5"),
        (FixStep.STRIP_SUFFIX, ".0", "123.0", "123", "without .0"),
        (FixStep.STRIP_PREFIX, "S-", "S-123", "123", "without S-"),
        (FixStep.CASE, "upper", "a1b", "A1B", "in upper case"),
        (FixStep.CASE, "lower", "A1B", "a1b", "in lower case"),
        (FixStep.DATE_ORDER, "dmy", "05/06/2013", "05/06/2013", "in the order dmy"),
    ],
)
def test_a_fix(step: FixStep, argument: str, value: str, fixed: str, words: str) -> None:
    fix = Fix("STUDENT_ID", step, argument)
    assert (fix.apply(value), str(fix)) == (fixed, words)
    assert Fix.from_json(fix.as_json()) == fix
