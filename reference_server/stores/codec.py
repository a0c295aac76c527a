"""Records as JSON text and back, by the types of their fields.

    str int float bool None     as they are          tuple[X, ...], tuple[X, Y]   lists, tuples again when read
    Enum of those               by value             dict[str|int, X], Mapping    objects
    frozen dataclass            an object            X | None, unions             by what the JSON is
    Any, object                 JSON as it is: a list stays a list, so give no tuples there

A stored field that a record no longer has is ignored and a field that was not stored takes its default, so that files
of older versions open. Anything else (bytes, sets) is refused when the kind is first used.
"""

from __future__ import annotations

import dataclasses
import json
import operator
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from fleetrig.simulator.contract.errors import ModelError

R = TypeVar("R")

Restore = Callable[[Any], Any]
"""From what JSON gives to what the field holds."""

PLAIN: Final = frozenset({str, int, float, bool, types.NoneType, Any, object})


class Codec(Generic[R]):
    """One record type. `decode` raises ValueError or TypeError for text that is no such record."""

    def __init__(self, record: type[R]) -> None:
        self.names: Final = _names(record)
        self._record = record
        self._restore = _restore_fields(record)
        self._values = _values_of(self.names)

    def encode(self, record: R) -> str:
        """ASCII JSON. Raises ModelError when a field holds something other than its type says."""
        try:
            return _encode(dict(zip(self.names, self._values(record), strict=True)))
        except (TypeError, ValueError) as problem:
            raise ModelError(f"{self._record.__name__}: not a JSON value: {problem}") from problem

    def decode(self, text: str) -> R:
        return typing.cast("R", self._restore(json.loads(text)))


_codecs: dict[type[Any], Codec[Any]] = {}


def codec_for(record: type[R]) -> Codec[R]:
    """Raises ModelError when a field's type cannot be stored."""
    codec = _codecs.get(record)
    if codec is None:
        codec = _codecs[record] = Codec(record)
    return codec


def _as_object(record: Any) -> Any:
    if isinstance(record, Enum):
        return record.value
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        raise TypeError(f"{type(record).__name__} {record!r:.60}")
    return {name: getattr(record, name) for name in codec_for(type(record)).names}


_encode: Final = json.JSONEncoder(separators=(",", ":"), default=_as_object, check_circular=False).encode


def _values_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads the fields of a record, all at once."""
    if len(names) < 2:  # an attrgetter of one name gives no tuple
        return lambda record: tuple(getattr(record, name) for name in names)
    return operator.attrgetter(*names)


def _names(record: type[Any]) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(record):
        raise ModelError(f"{record.__name__} is no dataclass: a record must be one")
    return tuple(field.name for field in dataclasses.fields(record) if field.init)


def _restore_fields(record: type[Any]) -> Restore:
    """Only the fields whose types need it are touched."""
    names = frozenset(_names(record))
    hints = typing.get_type_hints(record)
    restores = {name: restore for name in names if (restore := _restore_for(hints[name], f"{record.__name__}.{name}"))}

    def restore_record(stored: Any) -> Any:
        if not stored.keys() <= names:
            stored = {name: value for name, value in stored.items() if name in names}
        for name, restore in restores.items():
            if name in stored:
                stored[name] = restore(stored[name])
        return record(**stored)

    return restore_record


def _restore_for(hint: Any, where: str) -> Restore | None:
    """None where JSON gives the value as it was."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN or isinstance(hint, typing.ForwardRef | TypeVar) or origin is typing.Literal:
        return None
    if origin in {types.UnionType, typing.Union}:
        return _restore_union(arguments, where)
    if origin is tuple:
        return _restore_tuple(arguments, where)
    if hint in {dict, Mapping} or origin in {dict, Mapping}:
        return _restore_dict(arguments, where)
    if origin in {list, typing.Annotated}:
        inner = _restore_for(arguments[0], where)
        return inner if origin is typing.Annotated else _listed(inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _restore_fields(hint)
    raise ModelError(f"{where}: {hint} is no JSON value and cannot be stored")


def _listed(inner: Restore | None) -> Restore | None:
    return None if inner is None else lambda values: [inner(value) for value in values]


def _restore_tuple(arguments: tuple[Any, ...], where: str) -> Restore:
    if len(arguments) == 2 and arguments[1] is ...:
        inner = _restore_for(arguments[0], where)
        return tuple if inner is None else lambda values: tuple(map(inner, values))
    restores = [_restore_for(argument, where) or _as_it_is for argument in arguments]
    return lambda values: tuple(restore(value) for restore, value in zip(restores, values, strict=True))


def _restore_dict(arguments: tuple[Any, ...], where: str) -> Restore | None:
    key, value = arguments or (str, Any)
    inner = _restore_for(value, where)
    if key is not int and inner is None:
        return None
    restore_key, restore_value = (int if key is int else _as_it_is), (inner or _as_it_is)
    return lambda stored: {restore_key(name): restore_value(value) for name, value in stored.items()}


def _restore_union(arguments: tuple[Any, ...], where: str) -> Restore | None:
    """One way for each of the shapes that JSON tells apart: arrays, objects, and the rest."""
    ways: dict[type, list[Restore | None]] = {}
    for argument in arguments:
        if argument is not types.NoneType:
            ways.setdefault(_shape(argument), []).append(_restore_for(argument, where))
    if any(len(restores) > 1 and any(restores) for restores in ways.values()):
        raise ModelError(f"{where}: two members of the union look the same in JSON")
    by_shape = {shape: restores[0] for shape, restores in ways.items() if restores[0]}
    if not by_shape:
        return None
    return lambda value: None if value is None else by_shape.get(_shape(type(value)), _as_it_is)(value)


def _shape(hint: Any) -> type:
    kind = typing.get_origin(hint) or hint
    if kind in {list, tuple}:
        return list
    if kind in {dict, Mapping} or dataclasses.is_dataclass(kind):
        return dict
    return str


def _as_it_is(value: Any) -> Any:
    return value
