"""Who has subscribed to what: a tree of the levels of all topic filters.

To find who gets a message visits each node once at most, and only those whose path fits the topic.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from fleetrig.reference_server.mqtt_sessions.topic_filters import ANY_LEVEL, ANY_REST

S = TypeVar("S", bound=Hashable)
V = TypeVar("V")


class TreeNode(Generic[S, V]):
    """One level of filters. `wanted`: who has subscribed to the filter that ends here, and how."""

    __slots__ = ("children", "wanted")

    def __init__(self) -> None:
        self.children: dict[str, TreeNode[S, V]] = {}
        self.wanted: dict[S, V] = {}


class SubscriptionTree(Generic[S, V]):
    """Filters are given as their levels, and have no flaw (`filter_flaw`). A subscriber has a filter once."""

    def __init__(self) -> None:
        self._root: TreeNode[S, V] = TreeNode()

    @property
    def is_empty(self) -> bool:
        return not self._root.children

    def put(self, filter_levels: Sequence[str], subscriber: S, how: V) -> None:
        node = self._root
        for level in filter_levels:
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = TreeNode()
            node = child
        node.wanted[subscriber] = how

    def remove(self, filter_levels: Sequence[str], subscriber: S) -> None:
        """Removes branches that lead nowhere too. Harmless for what is not there."""
        path = [self._root]
        for level in filter_levels:
            child = path[-1].children.get(level)
            if child is None:
                return
            path.append(child)
        path[-1].wanted.pop(subscriber, None)
        for parent, level in zip(path[-2::-1], reversed(filter_levels), strict=True):
            child = parent.children[level]
            if child.wanted or child.children:
                return
            del parent.children[level]

    def matching(self, topic_levels: Sequence[str]) -> Iterator[tuple[S, V]]:
        """Subscriber and how, once for each filter that fits; do not change the tree meanwhile."""
        todo = [(self._root, 0)]
        while todo:
            node, depth = todo.pop()
            is_hidden = depth == 0 and topic_levels[0].startswith("$")
            if not is_hidden and (rest := node.children.get(ANY_REST)) is not None:
                yield from rest.wanted.items()
            if depth == len(topic_levels):
                yield from node.wanted.items()
                continue
            if not is_hidden and (any_level := node.children.get(ANY_LEVEL)) is not None:
                todo.append((any_level, depth + 1))
            if (named := node.children.get(topic_levels[depth])) is not None:
                todo.append((named, depth + 1))
