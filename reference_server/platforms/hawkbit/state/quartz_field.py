"""The grammar of one field of a Quartz cron expression, as the parser of the real server (cron-utils 9.2.1) reads it.

It refuses less than Quartz describes: a range may wrap, `L` may end a range, marks may stand before or after their
number, what follows a second `#` or `/` is dropped. What such an expression means is said in `quartz_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
UNSET: Final = -1
"""The number of a mark that stands alone."""
GREATEST_INT: Final = 2**31 - 1
WORDS_FOR_BOUNDS: Final = ("LW", "L", "W", "HASH", "QUESTION_MARK", "NONE")
NUMBER_BEFORE_L: Final = re.compile("[0-9]L")
NUMBER_BEFORE_W: Final = re.compile("[0-9]W")
ALWAYS_VALID: Final = re.compile(r"[#?/*0-9]")
NEVER_SHOWN: Final = re.compile(r"[\s,-]+")


class BadCron(ValueError):
    """The expression is not Quartz cron; the text is that of the real parser."""


@dataclass(frozen=True, slots=True)
class FieldRules:
    """What a field may hold. `marks` are those of `L`, `W`, `LW`, `#` and `?` that it knows."""

    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    may_wrap: bool = True

    def invalid_chars(self, text: str) -> str:
        rest = ALWAYS_VALID.sub("", text)
        for words in (self.names, sorted(self.marks & {"L", "W", "LW"})):
            if words:
                rest = re.sub(rf"\b({'|'.join(words)})\b", "", rest)
        return NEVER_SHOWN.sub("", rest)


SIXTY: Final = FieldRules(0, 59)
HOURS: Final = FieldRules(0, 23)
DAYS_OF_MONTH: Final = FieldRules(1, 31, marks=frozenset({"L", "W", "LW", "?"}))
MONTHS_OF_YEAR: Final = FieldRules(1, 12, {name: at for at, name in enumerate(MONTHS, 1)})
DAYS_OF_WEEK: Final = FieldRules(1, 7, {name: at for at, name in enumerate(WEEKDAYS, 1)}, frozenset({"L", "#", "?"}))
YEARS: Final = FieldRules(1970, 2099, may_wrap=False)


@dataclass(frozen=True, slots=True)
class AnyValue:
    """`*`."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """`?`: the other day field decides."""

    def __str__(self) -> str:
        return "?"


@dataclass(frozen=True, slots=True)
class OneValue:
    """A number, or a mark: `L`, `W`, `LW`, `#`; `nth` is what follows `#` or `L-`."""

    number: int
    mark: str = ""
    nth: int = UNSET

    def __str__(self) -> str:
        match self.mark:
            case "#":
                return f"{self.number}#{self.nth}"
            case "L" if self.number == UNSET:
                return "L" if self.nth == UNSET else f"L-{self.nth}"
            case "LW":
                return "LW"
            case mark:
                return f"{self.number}{mark}"


@dataclass(frozen=True, slots=True)
class ValueRange:
    """`a-b`; a bound that is a word is accepted when it is `L`, and never means anything."""

    first: int | str
    last: int | str

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Steps:
    """`*/n`, `/n`, `a/n` or `a-b/n`."""

    within: AnyValue | OneValue | ValueRange
    period: int

    def __str__(self) -> str:
        return "*" if isinstance(self.within, AnyValue) and self.period == 1 else f"{self.within}/{self.period}"


Term = AnyValue | LeftOpen | OneValue | ValueRange | Steps


@dataclass(frozen=True, slots=True)
class ValueList:
    """`a,b,…`."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.terms))


FieldExpression = Term | ValueList


def read(text: str, rules: FieldRules) -> FieldExpression:
    """Reads a field; `check` then says whether it may be. Raises BadCron."""
    if rules is DAYS_OF_WEEK and text.endswith("L") and text[:-1] in rules.names:
        text = f"{rules.names[text[:-1]]}L"
    parts = split(text, ",")
    return ValueList(tuple(_term(part, rules) for part in parts)) if len(parts) > 1 else _term(text, rules)


def check(expression: FieldExpression, rules: FieldRules) -> None:
    """Raises BadCron for a mark that the field does not know and a number out of its range."""
    if wrong := rules.invalid_chars(str(expression)):
        raise BadCron(_invalid_chars(str(expression), wrong))
    match expression:
        case ValueList(terms):
            for term in terms:
                check(term, rules)
        case Steps(within, period):
            check(within, rules)
            if not 0 < period <= min(rules.most - rules.least + 1, rules.most):
                raise BadCron(f"Period {period} not in range [{rules.least}, {rules.most}]")
        case ValueRange():
            _check_range(expression, rules)
        case OneValue(number, _, nth):
            _check_number(number, rules, or_unset=True)
            _check_number(nth, rules, or_unset=True)


def split(text: str, at: str) -> list[str]:
    """The parts of `text` without the empty ones at the end, as Java splits."""
    parts = text.split(at)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [] if parts == [""] and text else parts


def _term(text: str, rules: FieldRules) -> Term:
    if not set("/-,") & set(text):
        if "?" in text and "?" not in rules.marks:
            raise BadCron(f"Invalid expression: {text}")
        return _plain(text, rules)
    ends = split(text, "-")
    if "-" in text and len(ends) != 2:
        raise BadCron(f"Missing values for range: {text}")
    if ends and ends[0] == "L":
        return OneValue(UNSET, "L", _number(ends[1], rules))
    return _range(ends[0], ends[1], rules) if len(ends) > 1 else _steps(text, rules)


def _plain(text: str, rules: FieldRules) -> AnyValue | LeftOpen | OneValue:
    if text == "*":
        return AnyValue()
    return LeftOpen() if text == "?" else _one(text, rules)


def _one(text: str, rules: FieldRules) -> OneValue:
    if "#" in text:
        return _nth(text, rules)
    if "LW" in text:
        if rest := text.replace("LW", ""):
            raise BadCron(f"Expected: LW, found: {rest}")
        return OneValue(UNSET, "LW")
    if NUMBER_BEFORE_L.search(text) or text == "L":
        rest = text.replace("L", "")
        return OneValue(_number(rest, rules) if rest else UNSET, "L")
    if NUMBER_BEFORE_W.search(text):
        return OneValue(_number(text.replace("W", ""), rules), "W")
    return OneValue(_number(text, rules))


def _nth(text: str, rules: FieldRules) -> OneValue:
    if "#" not in rules.marks:
        raise BadCron(f"Invalid expression: {text}")
    parts = split(text, "#")
    if not parts:
        raise BadCron("Invalid Position of # Character!")
    if len(parts) == 1:
        raise BadCron("Index 1 out of bounds for length 1")
    nth = _number(parts[1], rules)
    if not parts[0]:
        raise BadCron("Time should be specified!")
    return OneValue(_number(parts[0], rules), "#", nth)


def _range(first: str, last: str, rules: FieldRules) -> ValueRange | Steps:
    if not first or not last:
        raise BadCron(
            f"Invalid expression! Expression: {first}-{last} does not describe a range. Negative numbers are not"
            " allowed."
        )
    if "/" not in last:
        return ValueRange(_bound(first, rules), _bound(last, rules))
    parts = split(last, "/")
    if not parts:
        raise BadCron("Index 0 out of bounds for length 0")
    within = ValueRange(_bound(first, rules), _bound(parts[0], rules))
    if len(parts) == 1:
        raise BadCron("Index 1 out of bounds for length 1")
    return Steps(within, _number(parts[1], rules))


def _steps(text: str, rules: FieldRules) -> AnyValue | Steps:
    parts = split(text, "/")
    if len(parts) == 1:
        raise BadCron(f"Missing steps for expression: {text}")
    if len(parts) != 2:
        raise BadCron(f"Invalid expression: {text}")
    start, period = parts
    if start == "*" and period == "1":
        return AnyValue()
    within = AnyValue() if start in {"*", ""} else OneValue(_number(start, rules))
    steps = _integer(period)
    if steps is None:
        raise BadCron(f'For input string: "{period}"')
    return Steps(within, steps)


def _bound(text: str, rules: FieldRules) -> int | str:
    return text if text in WORDS_FOR_BOUNDS else _number(text, rules)


def _number(text: str, rules: FieldRules) -> int:
    number = rules.names.get(text, _integer(text))
    if number is None:
        raise BadCron(_invalid_chars(text, rules.invalid_chars(text)))
    return number


def _integer(text: str) -> int | None:
    """As Java reads an int: a sign may come first, and digits of any script count."""
    digits = text[1:] if text[:1] == "+" else text
    if not digits.isdecimal() or len(digits.lstrip("0")) > len(str(GREATEST_INT)):
        return None
    return number if (number := int(digits)) <= GREATEST_INT else None


def _check_range(found: ValueRange, rules: FieldRules) -> None:
    for bound in (found.first, found.last):
        if isinstance(bound, int):
            _check_number(bound, rules, or_unset=False)
    for bound in (found.first, found.last):
        if isinstance(bound, str) and bound != "L":
            raise BadCron("No special characters allowed in range, except for 'L'")
    match found:
        case ValueRange(int(first), int(last)) if first > last and not rules.may_wrap:
            raise BadCron(f"Invalid range! [{first},{last}]")


def _check_number(number: int, rules: FieldRules, *, or_unset: bool) -> None:
    if not (or_unset and number == UNSET) and not rules.least <= number <= rules.most:
        raise BadCron(f"Value {number} not in range [{rules.least}, {rules.most}]")


def _invalid_chars(text: str, wrong: str) -> str:
    return f"Invalid chars in expression! Expression: {text} Invalid chars: {wrong}"
