"""Whether a device that asks gets its material (spec 1.5, 1.6): one place for the whole table of errors."""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.kura.provisioning.messages import StartMessage
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import Denial, ProvisionError
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    JobStatus,
    ProvisionRequest,
    RequestStatus,
)

NO_REQUEST: Final = Denial(
    ProvisionError.NO_REQUEST, "the request that the device has signed in for is there no longer: sign in again"
)
BUSY_RETRY_S: Final = 10
"""When to ask again while a job of the same device runs: about as long as a job takes that goes well."""

ENDED: Final = {
    JobStatus.COMPLETED: Denial(
        ProvisionError.ALREADY_COMPLETED, "the device has been provisioned: create a new request to do it again"
    ),
    JobStatus.FAILED: Denial(
        ProvisionError.ATTEMPTS_EXHAUSTED, "the job has FAILED: reset it, or create a new request"
    ),
    JobStatus.ABANDONED: Denial(ProvisionError.EXPIRED, "the job was ABANDONED: reset it, or create a new request"),
    JobStatus.SKIPPED: Denial(
        ProvisionError.DISABLED, "the job was SKIPPED, as its request was disabled: enable it and reset the job"
    ),
    JobStatus.STOPPED: Denial(ProvisionError.STOPPED, "the job was STOPPED by an administrator: reset it"),
    JobStatus.STOPPING: Denial(ProvisionError.STOPPED, "the job is being stopped by an administrator"),
}
"""A message does not bring a job back that is over (1.5)."""


class Course(StrEnum):
    """What a message leads to that is not denied."""

    START = "start"
    """A first run, or the next one after a run that the device itself has called failed."""
    REPEAT = "repeat"
    """The same reply once more: the nonce is that of the run (S-15)."""
    RESTART = "restart"
    """The session of the run is gone, and with it the run (S-17)."""


def denial_of(request: ProvisionRequest, now_us: int) -> Denial | None:
    """Why nothing is given out for a request, whoever asks; None: it may be."""
    if request.status is RequestStatus.DISABLED:
        return Denial(ProvisionError.DISABLED, "the provision request is disabled: enable it")
    if request.job.status is JobStatus.CREATED and request.has_expired(now_us):
        return Denial(ProvisionError.EXPIRED, "the provision request has expired: create a new one")
    if request.is_not_yet_active(now_us):
        return Denial(ProvisionError.NOT_ACTIVE_YET, "the provision request is not active yet: wait for activatesOn")
    return ENDED.get(request.job.status)


def key_denial_of(request: ProvisionRequest, message: StartMessage) -> Denial | None:
    """A request without a key does not look at one (S-11). Compared in constant time (S-10)."""
    wanted, shown = request.activation_key, message.activation_key
    if not wanted or hmac.compare_digest(wanted.encode(), shown.encode("utf-8", "replace")):
        return None
    how = "is wrong" if shown else "is missing"
    why = f"the activation key {how}: give the gateway that of its provision request"
    return Denial(ProvisionError.BAD_ACTIVATION_KEY, why)


def course_of(request: ProvisionRequest, nonce: bytes, *, is_same_session: bool) -> Course | Denial:
    """`is_same_session`: the run that is under way was begun on this connection."""
    issued = request.job.issued
    if issued is None:
        return Course.START
    if hmac.compare_digest(issued.nonce_hex, nonce.hex()):
        return Course.REPEAT
    if is_same_session:
        why = "a run of this device is under way, and this is another nonce: confirm it, or wait"
        return Denial(ProvisionError.BUSY, why, BUSY_RETRY_S)
    return Course.RESTART
