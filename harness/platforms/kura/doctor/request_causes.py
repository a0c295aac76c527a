"""The provision request that is for this gateway: its dates, its key and what became of its job (spec 1.5, 1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.names import is_same_secret
from fleetrig.harness.platforms.kura.doctor.records import AWAITING_BIRTH, RUNNING, RequestRecord

AGAIN: Final = (
    "Reset its job (PUT of the request with provisionJob.status CREATED), or make the request anew (POST with "
    "overwriteIfDuplicate true), which gives it another activation key."
)
OVER: Final = "A finished job is not begun again by a message of the gateway."
KEY_CHARACTERS: Final = 32


def request_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of the request that the server would take for this gateway's."""
    request = facts.request
    if request is None:
        return
    yield from _status(facts, request)
    yield from _job(facts, request)
    yield from _key(facts, request)


def _status(facts: Facts, request: RequestRecord) -> Iterator[Diagnosis]:
    begin, end = request.activates_on, request.expires_on
    if request.text("status") == "DISABLED" and request.job_status != "COMPLETED":
        yield Diagnosis(
            "request-disabled", Weight.CAUSE,
            f"The provision request for {quoted(request.client_id)} is DISABLED: the connection is refused, and over "
            "one "
            "that is open the answer is 404 DISABLED.",
            "Enable it (PUT with status ENABLED and the optlock that was read last).",
        )  # fmt: skip
    if begin is not None and begin > facts.now:
        yield Diagnosis(
            "request-not-active-yet", Weight.CAUSE,
            f"The provision request counts from {begin:{DAY}} on; it is {facts.now:{DAY}} (404 NOT_ACTIVE_YET).",
            "Wait, or set an earlier activatesOn. The gateway may go on trying: this answer says prov.retry true.",
        )  # fmt: skip
    if end is not None and end <= facts.now and request.job_status != "COMPLETED":
        yield Diagnosis(
            "request-expired", Weight.CAUSE,
            f"The provision request expired on {end:{DAY}}; it is {facts.now:{DAY}} (EXPIRED, its job ABANDONED).",
            "Make the request anew (POST with overwriteIfDuplicate true); it gets another activation key.",
        )  # fmt: skip


def _job(facts: Facts, request: RequestRecord) -> Iterator[Diagnosis]:
    status, tries, most = request.job_status, request.count("retryCount"), request.count("retryMaxAttempts")
    is_expired = request.expires_on is not None and request.expires_on <= facts.now
    match status:
        case "COMPLETED":
            yield Diagnosis(
                "request-completed", Weight.CAUSE,
                "The provision request has been fulfilled: its user is disabled, and the gateway is expected at its "
                "own "
                "account. A gateway that asks again has lost what it was given, or is asked to move.",
                f"If it is to be provisioned once more: {AGAIN[0].lower()}{AGAIN[1:]}",
            )  # fmt: skip
        case "FAILED" if tries is not None and most is not None and tries >= most:
            yield Diagnosis(
                "attempts-exhausted", Weight.CAUSE,
                f"The provision request has used up its attempts ({tries} of {most} retries; 400 ATTEMPTS_EXHAUSTED). "
                "The gateway's own retry-max-attempts is another counter.",
                f"See in its events why the attempts failed. {AGAIN}",
            )  # fmt: skip
        case "FAILED":
            yield Diagnosis(
                "job-failed", Weight.CAUSE,
                f"The last attempt failed: the gateway took the material, and nothing was heard from "
                f"{quoted(request.client_id)} in its new account in time. {OVER}",
                f"See that it reaches the target broker and is let in there. {AGAIN}",
            )  # fmt: skip
        case "ABANDONED" if not is_expired:
            yield Diagnosis(
                "job-abandoned", Weight.CAUSE,
                "The job was ABANDONED: the gateway said nothing more for longer than the job's timeout. "
                f"{OVER}", AGAIN,
            )  # fmt: skip
        case "STOPPED":
            yield Diagnosis("job-stopped", Weight.CAUSE, f"An operator has stopped the job. {OVER}", AGAIN)
        case "SKIPPED" if request.text("status") != "DISABLED":
            yield Diagnosis(
                "job-skipped", Weight.CAUSE,
                f"The request was disabled, or its job stopped, before the gateway came (SKIPPED). {OVER}", AGAIN,
            )  # fmt: skip
        case _ if status in AWAITING_BIRTH:
            yield Diagnosis(
                "birth-awaited", Weight.NOTE,
                f"The job is {status}: the server waits for the BIRTH of the gateway in its new account.",
                "If none comes, look at that connection: fleetrig doctor kura --for connection.",
            )  # fmt: skip
        case _ if status in RUNNING:
            yield Diagnosis(
                "job-running", Weight.NOTE,
                f"The job is {status}: another request is answered 500 BUSY while that session is open.",
            )  # fmt: skip
        case _:
            return


def _key(facts: Facts, request: RequestRecord) -> Iterator[Diagnosis]:
    own, wanted = facts.gateway.activation_key, request.activation_key
    if wanted and not own:
        yield Diagnosis(
            "activation-key-missing", Weight.CAUSE if facts.gateway.knows_key else Weight.POSSIBLE,
            "The provision request has an activation key, and the gateway is not given one (400 BAD_ACTIVATION_KEY)."
            if facts.gateway.knows_key else
            "The provision request has an activation key; whether the gateway has it was not said (--activation-key).",
            "Write the key of the request into activation-key of the gateway.",
        )  # fmt: skip
    elif wanted and own and not is_same_secret(own, wanted):
        yield Diagnosis(
            "activation-key-wrong", Weight.CAUSE,
            f"The gateway has another activation key than the provision request (400 BAD_ACTIVATION_KEY)"
            f"{_how_they_differ(own, wanted)}.",
            "Write the key of the request into activation-key of the gateway. A request that was made anew has a new "
            "key.",
        )  # fmt: skip
    elif own and not wanted:
        yield Diagnosis(
            "activation-key-unneeded", Weight.NOTE,
            "The provision request has no activation key; the gateway's is ignored, and proves nothing.",
        )  # fmt: skip


def _how_they_differ(own: str, wanted: str) -> str:
    """Without a character of either."""
    if own.strip() == wanted:
        return ": there is a space or a line end around it"
    if own.lower() == wanted.lower():
        return ": upper and lower case differ"
    if len(own) != len(wanted):
        return f": it has {len(own)} characters, that of the request {len(wanted)}"
    return ""
