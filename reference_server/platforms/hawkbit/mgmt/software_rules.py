"""What the texts of modules, sets, their types and tags may be (§1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable, violations
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

Given = dict[str, Any]

NAME: Final = TextRule("name", 1, 128, needed=True)
VERSION: Final = TextRule("version", 1, 64, needed=True)
DESCRIPTION: Final = TextRule("description", 0, 512)
KEY: Final = TextRule("key", 1, 64, needed=True)
COLOUR: Final = TextRule("colour", 0, 16)

MODULE_RULES: Final = (NAME, VERSION, DESCRIPTION, TextRule("vendor", 0, 256))
SET_RULES: Final = (NAME, VERSION, DESCRIPTION)
TYPE_RULES: Final = (KEY, NAME, DESCRIPTION, COLOUR)
TAG_RULES: Final = (NAME, DESCRIPTION, COLOUR)

INT_MAX: Final = 2**31 - 1


def texts(body: Given, text_rules: Iterable[TextRule]) -> Given:
    """The text fields as sent."""
    return {rule.name: fields.text(body, rule.name) for rule in text_rules}


def flag(body: Given, name: str) -> bool:
    """A Java `boolean`: false when it is not there. Raises 400 for null and blank text."""
    value = fields.boolean(body, name)
    if value is None and name in body:
        raise not_readable(f"{name}: null, expected true or false")
    return bool(value)


def number(body: Given, name: str) -> int:
    """A Java `int`: 0 when it is not there. Raises 400 for null, blank text and what is too great."""
    value = fields.integer(body, name)
    if value is None and name in body:
        raise not_readable(f"{name}: null, expected a number")
    if value is not None and not -INT_MAX - 1 <= value <= INT_MAX:
        raise not_readable(f"{name}: {value} does not fit into 32 bits")
    return value or 0


def ids(body: Given, name: str) -> list[int | None]:
    """`[{"id": 1}, …]`, also a single one; no field or null is an empty list."""
    return [] if body.get(name) is None else [fields.integer(one, "id") for one in fields.as_new_objects(body[name])]


def check_requests(text_rules: tuple[TextRule, ...], requests: Iterable[Given], *needed: str) -> None:
    """Raises 400 with everything that is wrong with all requests; `needed` are asked for here already."""
    broken = []
    for at, given in enumerate(requests):
        path = f"create.create[{at}]"
        for name in needed:
            broken += rules.missing(f"{path}.{name}", given[name])
        broken += rules.broken_texts(path, text_rules, given)
    if broken:
        raise violations(broken)


def check_update(text_rules: tuple[TextRule, ...], given: Given) -> None:
    """Raises 400 with everything that is wrong with a change, be there something to change or not."""
    broken = rules.broken_texts("update.update", text_rules, given)
    if broken:
        raise violations(broken)


def changes(text_rules: tuple[TextRule, ...], given: Given) -> Given:
    """The texts to change, as they are stored. Raises 400 for one that is blank and must not be."""
    stored = {name: rules.trimmed(value) for name, value in given.items() if value is not None}
    broken = [
        sentence
        for rule in text_rules
        for sentence in rules.broken_size(rule.name, stored.get(rule.name), rule.least, rule.most)
    ]
    if broken:
        raise violations(broken)
    return stored
