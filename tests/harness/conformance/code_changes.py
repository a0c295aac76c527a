"""One mistake in a server that runs in this process: single attributes of its modules changed, and changed back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Change = tuple[Any, str, Callable[[Any], Any]]
"""(module or class, name of an attribute, original -> replacement)."""


@contextmanager
def applied(changes: Sequence[Change]) -> Iterator[None]:
    """Several changes of one attribute go one around the other."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, change in changes:
            original = _raw(owner, name)
            before.append((owner, name, original))
            setattr(owner, name, change(original))
        yield
    finally:
        for owner, name, original in reversed(before):
            setattr(owner, name, original)


def _raw(owner: Any, name: str) -> Any:
    """The attribute itself; for a class not what it would give an instance."""
    return inspect.getattr_static(owner, name)


# -- what to make of an original


def giving(value: Any) -> Callable[[Any], Any]:
    """A function that always gives this."""
    return lambda original: lambda *_, **__: value


def being(value: Any) -> Callable[[Any], Any]:
    """Another value, or another function altogether."""
    return lambda original: value


def then(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The original function, and then something else is made of its result."""
    return lambda original: lambda *args, **more: change(original(*args, **more))


def instead(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A function that gets the original first, then what it was called with."""
    return lambda original: lambda *args, **more: function(original, *args, **more)


def always(value: Any) -> Callable[[Any], Any]:
    """A property with this value."""
    return lambda original: property(lambda self: value)
