"""The errors of PROV-SIM1: one table of code and advice (spec 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ProvisionError(StrEnum):
    """`prov.error` of a reply."""

    MALFORMED = "MALFORMED"
    CLIENT_ID_MISMATCH = "CLIENT_ID_MISMATCH"
    BAD_ACTIVATION_KEY = "BAD_ACTIVATION_KEY"
    NO_REQUEST = "NO_REQUEST"
    NOT_ACTIVE_YET = "NOT_ACTIVE_YET"
    EXPIRED = "EXPIRED"
    DISABLED = "DISABLED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    ALREADY_COMPLETED = "ALREADY_COMPLETED"
    STOPPED = "STOPPED"
    BUSY = "BUSY"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How an error is told: `response.code`, `prov.retry` and `response.exception.message`."""

    code: int
    is_retried: bool
    message: str


ERROR_FORMS: Final = {
    ProvisionError.MALFORMED: ErrorForm(400, False, "The provisioning message is malformed."),
    ProvisionError.CLIENT_ID_MISMATCH: ErrorForm(400, False, "The requester is not the connected client."),
    ProvisionError.BAD_ACTIVATION_KEY: ErrorForm(400, False, "The activation key is missing or wrong."),
    ProvisionError.NO_REQUEST: ErrorForm(404, True, "There is no provision request for this device."),
    ProvisionError.NOT_ACTIVE_YET: ErrorForm(404, True, "The provision request is not active yet."),
    ProvisionError.EXPIRED: ErrorForm(404, False, "The provision request has expired."),
    ProvisionError.DISABLED: ErrorForm(404, True, "The provision request is disabled."),
    ProvisionError.ATTEMPTS_EXHAUSTED: ErrorForm(400, False, "The attempts of the provision job are exhausted."),
    ProvisionError.ALREADY_COMPLETED: ErrorForm(400, False, "The device has been provisioned already."),
    ProvisionError.STOPPED: ErrorForm(400, False, "The provision job was stopped."),
    ProvisionError.BUSY: ErrorForm(500, True, "The provisioning service is busy."),
    ProvisionError.INTERNAL: ErrorForm(500, True, "The provisioning service has failed."),
}

STRICT: Final = {ProvisionError.BAD_ACTIVATION_KEY: ProvisionError.NO_REQUEST}
"""What is told in place of an error with `strict-errors`: who guesses does not learn that there is a request."""


@dataclass(frozen=True, slots=True)
class Denial:
    """An error and, for the trace, why: what was wrong and what to do."""

    error: ProvisionError
    reason: str
    retry_after_s: int | None = None
