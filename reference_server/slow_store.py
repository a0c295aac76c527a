"""A store that takes long (`slow_store`): what was asked is done and told late, unless the platform gives up before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.http_faults import late_us
from fleetrig.reference_server.platform import FailurePlatform, HttpPlatform, Reaction, ServerPlatform
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

GAVE_UP: Final = "the store had not answered for {:g} s: the server gave up; what was asked for may have happened"


def slowed(
    fault: Fault, platform: ServerPlatform, reaction: Reaction, session: Session, envelope: Envelope, now_us: int
) -> Reaction:
    """What becomes of an answer to an envelope of a session."""
    waits_us, patience_us = late_us(fault), _patience_us(platform, envelope)
    if patience_us is not None and waits_us >= patience_us and isinstance(platform, FailurePlatform):
        failed = platform.failed(session, envelope, GAVE_UP.format(to_s(patience_us)), now_us)
        return replace(failed, outputs=late_outputs(failed.outputs, patience_us), device=reaction.device)
    return replace(reaction, outputs=late_outputs(reaction.outputs, waits_us))


def given_up(faults: Sequence[Fault], platform: HttpPlatform, request: HttpRequest, now_us: int) -> Delivery | None:
    """What an HTTP request gets from a platform that does not wait so long; None when it waits, or no store is slow."""
    slow = [fault for fault in faults if fault.kind is FaultKind.SLOW_STORE]
    patience_us = _patience_us(platform, request)
    failure = platform.container_rules.failure
    if not slow or patience_us is None or failure is None or late_us(slow[0]) < patience_us:
        return None
    return Delivery(failure(request, now_us), delay_us=patience_us)


def _patience_us(platform: ServerPlatform, envelope: Envelope) -> int | None:
    return platform.gives_up_after_us(envelope) if isinstance(platform, FailurePlatform) else None


def late_outputs(outputs: Sequence[Output], by_us: int) -> list[Output]:
    """The same, so many microseconds later; answers to held requests are not: `HeldRequests` has their delays."""
    return [
        replace(output, delay_us=output.delay_us + by_us) if isinstance(output, Send | Close) else output
        for output in outputs
    ]
