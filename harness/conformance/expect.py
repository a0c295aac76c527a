"""How a conformance check says what it expects; the first thing that differs ends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fleetrig.harness.verdict import Finding, Severity


class Mismatch(Exception):
    """The server did not do what the row says."""

    def __init__(self, finding: Finding, severity: Severity | None = None) -> None:
        """`severity`: of this finding, if it is not that of its row."""
        super().__init__(f"expected {finding.expected}; got {finding.got}")
        self.finding = finding
        self.severity = severity


class MissingCapability(Exception):
    """The server cannot serve this row; `str()` is the capability word."""


def expect(what: str, expected: object, got: object) -> None:
    """Equal values, compared with their types (True is not 1)."""
    if expected != got or (isinstance(expected, bool) is not isinstance(got, bool)):
        raise Mismatch(Finding(f"{what}: {format_value(expected)}", format_value(got)))


def expect_that(holds: object, what: str, got: object) -> None:
    """Anything else; `what` is a sentence that is true when all is well."""
    if not holds:
        raise Mismatch(Finding(what, format_value(got)))


def expect_keys(what: str, expected: Collection[str], got: Mapping[str, Any]) -> None:
    """Exactly these keys."""
    missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
    if missing or extra:
        raise Mismatch(Finding(f"{what}: exactly {sorted(expected)}", f"missing {missing}, unexpected {extra}"))


def expect_has(what: str, expected: Mapping[str, object], got: Mapping[str, Any]) -> None:
    """At least these keys with these values."""
    for key, value in expected.items():
        if key not in got:
            raise Mismatch(Finding(f"{what} has {key} = {format_value(value)}", f"no {key}; there are {sorted(got)}"))
        expect(f"{what}.{key}", value, got[key])


def format_value(value: object) -> str:
    """A value in a finding, cut to what a person reads."""
    text = value if isinstance(value, str) and value else repr(value)
    return text if len(text) <= 300 else text[:300] + " …"
