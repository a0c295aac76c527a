"""What the rules of the platform refuse; each interface has its own way to say it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

STALE: Final = "OPTIMISTIC_LOCKING"
ID_BYTES: Final = 8


@dataclass(frozen=True)  # no slots: exceptions are given a traceback
class Refused(Exception):
    """A rule that holds whoever asks.

    `status` is an HTTP status; `code` and `error` are Kapua's error code and text on the wire, `told` further members
    of the error body; `reason` is what the trace says: the mistake, and what to do.
    """

    status: int
    code: str
    error: str
    reason: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    type: str = "exceptionInfo"
    """Kapua's name for the form of the body."""

    def __str__(self) -> str:
        return self.reason or self.error


class LoginFailure(StrEnum):
    """Why nobody is signed in, by the class that a broker tells (spec 5.4)."""

    BAD_CREDENTIALS = "bad user or password"
    NOT_AUTHORIZED = "not authorised"
    """Locked, disabled, expired, without permission, or against the coupling."""


@dataclass(frozen=True)  # no slots: exceptions are given a traceback
class LoginRefused(Exception):
    """A login is refused. What was counted on the way is to be kept: do not roll back."""

    failure: LoginFailure
    reason: str
    code: str = ""
    """Kapua's error code over REST; empty: the usual one."""

    def __str__(self) -> str:
        return self.reason


class IllegalMove(Exception):
    """A job cannot go from its status to the one that was asked for."""


def missing(kind: str, name: str) -> Refused:
    """404: there is no entity of that kind with that id or name."""
    error = f"The entity of type {kind} with id/name {decimal_id(name)} was not found."
    told = {"entityType": kind, "entityId": name}
    return Refused(
        404, "ENTITY_NOT_FOUND", error, f"there is no {kind} {name[:80]!r}", told, "entityNotFoundExceptionInfo"
    )


def duplicate(kind: str, name: str) -> Refused:
    """409: a name that must be unique is taken."""
    error = f"An entity with the same name {name} already exists."
    why = f"there is a {kind} {name[:80]!r} already"
    return Refused(409, "DUPLICATE_NAME", error, why, {"duplicatedName": name}, "duplicateNameExceptionInfo")


def illegal(argument: str, value: str, why: str) -> Refused:
    """400: an argument has a value that it cannot have."""
    error = f"An illegal value was provided for the argument {argument}: {value}."
    told = {"argumentName": argument, "argumentValue": value}
    return Refused(400, "ILLEGAL_ARGUMENT", error, f"{argument}: {why}", told, "illegalArgumentExceptionInfo")


def missing_argument(argument: str) -> Refused:
    """400: an argument that is needed is not there."""
    error = f"An illegal null value was provided for the argument {argument}."
    told = {"argumentName": argument}
    why = f"{argument} is missing"
    return Refused(400, "ILLEGAL_NULL_ARGUMENT", error, why, told, "illegalNullArgumentExceptionInfo")


def stale(kind: str) -> Refused:
    """The record was changed since it was read (S-26). Kapua's own API tells it as a failure, with 500."""
    error = "The entity is out of state as it has been modified or deleted by another transaction."
    return Refused(409, STALE, error, f"the optlock is not the {kind}'s present one: read it again")


def decimal_id(name: str) -> str:
    """How messages write an id: as a number, which its short form encodes. What is no id stays as it is."""
    try:
        raw = urlsafe_b64decode(name + "=" * (-len(name) % 4))
    except ValueError:
        return name
    return str(int.from_bytes(raw, "big", signed=True)) if 0 < len(raw) <= ID_BYTES else name
