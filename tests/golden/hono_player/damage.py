"""Near misses: copies of an expectation with one thing changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from tests.golden.hono_player.recording import Step

Damage = Callable[[Any], Any]
"""An expectation -> the same with a near miss; None where there is nothing of this kind."""
ELSE: Final[dict[type, Any]] = {str: "something else", int: 9_999, bool: "neither", type(None): "not nothing"}
"""Type of a leaf -> what is expected in its place, to no avail."""


def every_leaf(expected: Any) -> Iterator[Any]:
    """The same with one leaf changed, one member or item too many or missing; each place in turn."""
    match expected:
        case dict():
            for name, value in expected.items():
                yield from ({**expected, name: one} for one in every_leaf(value))
            yield {**expected, "a member that": "never comes"}
        case list():
            for number, value in enumerate(expected):
                yield from ([*expected[:number], one, *expected[number + 1 :]] for one in every_leaf(value))
            yield [*expected, "an item that never comes"]
        case _:
            yield ELSE[type(expected)]


def at(*path: str, miss: Damage) -> Damage:
    """The value at this path changed."""

    def damage(expected: Any) -> Any:
        if not path:
            return miss(expected)
        name, *rest = path
        if not isinstance(expected, dict) or name not in expected:
            return None
        inner = at(*rest, miss=miss)(expected[name])
        return None if inner is None else {**expected, name: inner}

    return damage


def number(found: Any) -> Any:
    """One more."""
    return found + 1 if isinstance(found, int) and not isinstance(found, bool) else None


def letter(found: Any) -> Any:
    """The last letter of a text that is no template."""
    if not isinstance(found, str) or not found or "$" in found:
        return None
    return f"{found[:-1]}{'x' if found[-1] != 'x' else 'y'}"


def leaf(found: Any) -> Any:
    """The last value of an object or a list, however deep, that is no template."""
    match found:
        case dict():
            inner = ((name, leaf(value)) for name, value in reversed(found.items()))
            return next(({**found, name: changed} for name, changed in inner if changed is not None), None)
        case list():
            inside = ((place, leaf(value)) for place, value in enumerate(found))
            return next(
                ([*found[:place], changed, *found[place + 1 :]] for place, changed in inside if changed is not None),
                None,
            )
        case bool():
            return not found
        case _:
            return number(found) if isinstance(found, int) else letter(found)


def member_more(found: Any) -> Any:
    return {**found, "never-there": 1} if isinstance(found, dict) and found else None


def member_less(found: Any) -> Any:
    names = list(found) if isinstance(found, dict) else []
    return {name: found[name] for name in names[:-1]} if len(names) > 1 else None


def entry_less(found: Any) -> Any:
    return found[:-1] if isinstance(found, list) and found else None


def last_header(headers: Any) -> Any:
    """Another value, where a parameter of a type would not count."""
    if not isinstance(headers, dict) or not headers:
        return None
    name = list(headers)[-1]
    return {**headers, name: f"x{headers[name]}"}


def swapped(headers: Any) -> Any:
    """The values of two headers changed places."""
    if not isinstance(headers, dict) or len(headers) < 2:
        return None
    (one, first), (other, second), *rest = headers.items()
    return {one: second, other: first, **dict(rest)}


def other_version(found: Any) -> Any:
    """`${etag2}` -> `${etag}`: an earlier version, where a new one came."""
    later = re.fullmatch(r"\$\{etag\d+\}", found) if isinstance(found, str) else None
    return "${etag}" if later else None


def body_there(found: Any) -> Any:
    """Something, where nothing came."""
    return {"error": "none"} if found is None else None


def code_there(found: Any) -> Any:
    """An answer, where there was silence or an alert."""
    return "2.04" if found is None else "4.01" if isinstance(found, str) else None


def closed_stays_open(found: Any) -> Any:
    return {"closed": "puback", "puback": "closed"}.get(found) if isinstance(found, str) else None


def other_alert(found: Any) -> Any:
    return "handshake failure" if isinstance(found, str) else "bad certificate"


def one_more_accepted(statuses: Any) -> Any:
    """Of a race, one more than there were."""
    if not isinstance(statuses, dict):
        return None
    first, *rest = statuses.items()
    return {first[0]: first[1] + 1, **dict(rest)}


KINDS: Final[dict[str, Damage]] = {
    "status": at("status", miss=number),
    "body": at("body", miss=leaf),
    "a body where none came": at("body", miss=body_there),
    "a member more": at("body", miss=member_more),
    "a member less": at("body", miss=member_less),
    "an entry less": at("body", "result", miss=entry_less),
    "header": at("headers", miss=last_header),
    "headers swapped": at("headers", miss=swapped),
    "an earlier version": at("headers", "ETag", miss=other_version),
    "TLS alert": at("tls_alert", miss=letter),
    "CONNACK": at("connack", miss=number),
    "session present": at("session_present", miss=number),
    "SUBACK": at("suback", miss=number),
    "outcome": at("outcome", miss=closed_stays_open),
    "topic": at("topic", miss=letter),
    "code in a message": lambda found: at("code", miss=number)(found) if "topic" in found else None,
    "CoAP code": lambda found: at("code", miss=code_there)(found) if "alert" in found else None,
    "DTLS alert": at("alert", miss=other_alert),
    "an event less": at("events", miss=entry_less),
    "an event's property": at("events", miss=leaf),
    "statuses of a race": at("statuses", miss=one_more_accepted),
}


def damaged(step: Step, kind: str) -> Step | None:
    """None where there is nothing of this kind, or nothing that is compared."""
    if step.is_cleanup:
        return None
    found = KINDS[kind](step.expected)
    return None if found is None or found == step.expected else replace(step, expected=found)
