"""What the rules of the platform refuse, as its services throw it; each interface has its own way to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class ErrorCode(IntEnum):
    """`errorCode` of an error body (spec 4)."""

    GENERAL = 2
    AUTHENTICATION = 10
    JWT_EXPIRED = 11
    PERMISSION_DENIED = 20
    INVALID_ARGUMENTS = 30
    BAD_REQUEST = 31
    NOT_FOUND = 32
    TOO_MANY_REQUESTS = 33
    VERSION_CONFLICT = 35
    ENTITIES_LIMIT = 41
    DATABASE = 46


@dataclass(frozen=True)  # no slots: exceptions are given a traceback
class RuleBroken(Exception):
    """A rule that holds whoever asks: names, credentials, limits, versions.

    `thrown` is the name of the real server's exception, which a bulk import quotes (`Line 3: <thrown>: <message>`).
    """

    message: str
    thrown: str = "DataValidationException"
    status: int = 400
    code: ErrorCode = ErrorCode.BAD_REQUEST
    told: Mapping[str, Any] = field(default_factory=dict)
    """What an error body says beside its usual members."""

    def __str__(self) -> str:
        return self.message


def bad_credentials(message: str) -> RuleBroken:
    return RuleBroken(message, "DeviceCredentialsValidationException")


def old_version(called: str) -> RuleBroken:
    """Somebody saved the record in between; `called` as in `Device profile`."""
    message = f"{called} was already changed by someone else"
    return RuleBroken(message, "EntityVersionMismatchException", 409, ErrorCode.VERSION_CONFLICT)


def too_many(called: str, most: int) -> RuleBroken:
    """`called` as in `Device`."""
    told = {"entityType": called.upper(), "limit": most}
    message = f"{called}s limit reached"
    return RuleBroken(message, "EntitiesLimitExceededException", 403, ErrorCode.ENTITIES_LIMIT, told)
