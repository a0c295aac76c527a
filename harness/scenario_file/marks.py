"""Plain values that know where in their file they stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple


class Mark(NamedTuple):
    """A place in a file, both counted from 1."""

    line: int
    column: int


START: Final = Mark(1, 1)

Keys = tuple[str, ...]
"""The keys above a value, outermost first."""


class MarkedText(str):
    """A text and its line."""

    __slots__ = ("line",)
    line: int


class MarkedMapping(dict[str, Any]):
    """A mapping, and where each of its keys and values stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}

    def put(self, key: str, value: Any, key_at: Mark, value_at: Mark) -> None:
        self[key], self.keys_at[key], self.values_at[key] = value, key_at, value_at


class MarkedList(list[Any]):
    """A list, and where each of its items stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.items_at: list[Mark] = []

    def put(self, value: Any, at: Mark) -> None:
        self.append(value)
        self.items_at.append(at)


def marked_text(text: str, line: int) -> MarkedText:
    marked = MarkedText(text)
    marked.line = line
    return marked


def locate(tree: Any, place: Sequence[str | int], *, key: bool = False) -> tuple[Mark, Any]:
    """Where a place (`phases`, 0, `do`) stands, as near as it exists, and what is there.

    Of a whole mapping or list its key is meant, and so with `key` for the last part. Parts that the tree does not have
    are passed over: a model's inner names, and `0` where one entry stands for a list.
    """
    mark, node = START, tree
    for number, part in enumerate(place, 1):
        if isinstance(node, MarkedMapping) and part in node:
            name, node_above = str(part), node
            node = node_above[name]
            whole = node is None or isinstance(node, dict | list) or (key and number == len(place))
            mark = node_above.keys_at[name] if whole else node_above.values_at[name]
        elif isinstance(node, MarkedList) and isinstance(part, int) and part < len(node):
            mark, node = node.items_at[part], node[part]
    return mark, node


def texts(node: Any, at: Mark = START) -> Iterator[tuple[str, Mark]]:
    """Every text among the values, with its place in the file."""
    return ((text, mark) for text, mark, _ in texts_below(node, at))


def texts_below(
    node: Any, at: Mark = START, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mark, tuple[str, ...]]]:
    """The same, each with the keys above it."""
    if isinstance(node, MarkedMapping):
        for key, value in node.items():
            yield from texts_below(value, node.values_at[key], (*above, key))
    elif isinstance(node, MarkedList):
        for item, item_at in zip(node, node.items_at, strict=True):
            yield from texts_below(item, item_at, above)
    elif isinstance(node, str):
        yield node, at, above


def keys(node: Any) -> Iterator[tuple[str, Mark]]:
    """Every key of every mapping, with its place."""
    if isinstance(node, MarkedMapping):
        yield from node.keys_at.items()
    for value in node.values() if isinstance(node, MarkedMapping) else node if isinstance(node, MarkedList) else ():
        yield from keys(value)


def count_values(node: Any) -> int:
    """How many values there are in a tree, the tree itself included."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()
    return 1 + sum(map(count_values, inner))


def replaced(node: Any, change: Callable[[str, Mark], Any], at: Mark = START) -> Any:
    """The same tree with every text changed, marks kept."""
    if isinstance(node, MarkedMapping):
        mapping = MarkedMapping(node.line)
        for key, value in node.items():
            mapping.put(key, replaced(value, change, node.values_at[key]), node.keys_at[key], node.values_at[key])
        return mapping
    if isinstance(node, MarkedList):
        items = MarkedList(node.line)
        for item, item_at in zip(node, node.items_at, strict=True):
            items.put(replaced(item, change, item_at), item_at)
        return items
    if not isinstance(node, str):
        return node
    changed = change(node, at)
    return marked_text(changed, at.line) if isinstance(changed, str) else changed
