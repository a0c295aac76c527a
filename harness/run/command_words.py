"""Options of a command as words: so a report can say how to repeat its run."""

from __future__ import annotations

from collections.abc import Mapping


def words_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """Options as command-line words: those not given are omitted, flags have no value, lists come one by one."""
    words: list[str] = []
    for name, value in options.items():
        if value is True:
            words.append(name)
        elif isinstance(value, list | tuple):
            words += [word for one in value for word in (name, str(one))]
        elif value is not None and value is not False:
            words += [name, str(value)]
    return tuple(words)
