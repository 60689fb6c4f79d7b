"""The rule of each column in one file: what a cell means, and what is wrong with it.

Rows are validated with these rules one by one, and columns as a whole. Results are cached.
"""

from collections.abc import Callable, Mapping, Sequence

from rollbook.studentfile.columns import CLEAR, Column
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.studentfile.rules import FileRules
from rollbook.studentfile.values import birth_dates, choices
from rollbook.studentfile.values.free_text import free_text
from rollbook.studentfile.values.placeholders import is_placeholder
from rollbook.studentfile.values.text_checks import InvalidValue, RuleResult, ValueWithWarning, trim

# Results that are cached for each column, and the longest text among them: bounded memory.
_MAX_CACHED_RESULTS = 6_000
_MAX_CACHED_LENGTH = 40
_APOSTROPHE_HINT = "remove the apostrophe, which only marks a cell as text in spreadsheets"
_QUOTES_HINT = "remove the quotation marks, which are part of the value"
_WARN_WHEN_TRIMMED = frozenset({"STUDENT_ID", "SCHOOL_ID"})


class CellRule(dict[str, RuleResult | None]):
    """The results of a column's rule by text; None for a blank. Caches repetitive values only.

    Args:
        column: The column.
        rules: The rules of the file.
        max_length: The longest cell, in characters.
        keep_optional: Whether a bad value in an optional column only causes a warning.
    """

    def __init__(
        self, column: Column, rules: FileRules, max_length: int, *, keep_optional: bool
    ) -> None:
        super().__init__()
        rule_for = _RULES_OF_FILES.get(column.name)
        self._column = column
        self._rule = rule_for(rules) if rule_for else column.rule
        self._max_length = max_length
        self._is_free_text = column.rule is free_text
        self._warns_when_trimmed = column.name in _WARN_WHEN_TRIMMED
        self._is_kept = keep_optional and column.is_optional
        is_cached = column.repetitive and not column.secret
        self._max_results = _MAX_CACHED_RESULTS if is_cached else 0

    def validate_all(self, texts: Sequence[str]) -> list[RuleResult | None]:
        """Return the result of each text."""
        plain, max_length = self._column.plain, self._max_length
        if not plain:
            return list(map(self.__getitem__, texts))
        is_plain = plain.fullmatch
        return [
            text if is_plain(text) and len(text) <= max_length else self[text] for text in texts
        ]

    def __missing__(self, text: str) -> RuleResult | None:
        result = self._validate(text)
        if self._is_kept and (self._is_free_text or isinstance(result, InvalidValue)):
            result = self._keep_field(text, result)
        if len(self) < self._max_results and len(text) <= _MAX_CACHED_LENGTH:
            self[text] = result
        return result

    def _validate(self, text: str) -> RuleResult | None:
        if len(text) > self._max_length:
            hint = f"shorten the value to at most {self._max_length} characters"
            return InvalidValue("field_too_long", hint)
        value = trim(text)
        if not value:
            return None
        if ("\n" in value or "\r" in value) and not self._is_free_text:
            return InvalidValue("newline_in_field")
        if value[0] == "<" and value.lower() == CLEAR:
            return "" if self._column.clearable else InvalidValue("not_clearable")
        result = self._rule(value)
        if value[0] in "'\"" and isinstance(result, InvalidValue):
            return self._explain_marks(value, result)
        if self._warns_when_trimmed and value != text and isinstance(result, str):
            return ValueWithWarning(result, "trimmed")
        return result

    def _explain_marks(self, value: str, result: InvalidValue) -> InvalidValue:
        """Return the result with a hint if a value is only invalid for the marks around it."""
        is_quoted = len(value) > 1 and value[0] == value[-1]
        rest = value[1:-1].strip() if is_quoted else value[1:].lstrip()
        if not rest or self._column.secret or isinstance(self._rule(rest), InvalidValue):
            return result
        hint = _QUOTES_HINT if is_quoted else _APOSTROPHE_HINT
        return InvalidValue(result.code, hint)

    def _keep_field(self, text: str, result: RuleResult | None) -> RuleResult | None:
        """Return the result for an optional column: a bad value leaves the field unchanged."""
        if is_placeholder(trim(text)):
            return InvalidValue("placeholder_blank")
        if not isinstance(result, InvalidValue):
            return result
        code, name = PROBLEM_CODES[result.code], self._column.name
        hint = f"{name} was left unchanged. {code.title}: {result.hint or code.fix}"
        return InvalidValue("value_kept", hint)


def _grade_rule_for(rules: FileRules) -> Callable[[str], RuleResult]:
    """Return the rule of GRADE, which looks up the district's own codes first.

    A code such as 13 also replaces the grade's other spellings, such as Grade 13. So a district
    that says what 13 means has no student in a grade 13, and its export can be read again.
    """
    codes = rules.grade_codes

    def rule(text: str) -> RuleResult:
        grade = codes.get(text.casefold()) or choices.grade(text)
        return codes.get(grade, grade) if isinstance(grade, str) else grade

    return rule


_RULES_OF_FILES: Mapping[str, Callable[[FileRules], Callable[[str], RuleResult]]] = {
    "DOB": birth_dates.rule_for,
    "GRADE": _grade_rule_for,
}
"""By column, what returns its rule in a file with these rules."""
