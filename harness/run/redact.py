"""Masks every secret in results, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

T = TypeVar("T")


def redact(value: T, hide: Callable[[str], str]) -> T:
    """The same value with `hide` applied to each text in it: in tuples, mappings and fields of dataclasses."""
    return cast(T, _redact(value, hide))


def _redact(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case Enum():
            return value
        case str():
            return hide(value)
        case tuple() | list():
            return type(value)(_redact(one, hide) for one in value)
        case Mapping():
            return {key: _redact(one, hide) for key, one in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{one.name: _redact(getattr(value, one.name), hide) for one in fields(value)})
        case _:
            return value
