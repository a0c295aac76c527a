"""Faults of a scenario file as the array engine knows them: outages, refusals, late answers, a server's capacity."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.harness.fleets.cohort_traits import CohortTraits
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.server_block import Capacity
from fleetrig.simulator.cohort.model import Disruption, ServerModel, Unanswered
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate

ALL_MILLI: Final = 1_000
FOR_EVER_US: Final = 1 << 46
"""Two years: longer than any run."""
ABOUT_THE_DEVICE: Final = frozenset({401, 403, 404})
"""With these a server speaks of a device; what that does then is more than to wait."""
SLOWS_DOWN: Final = 429
FIRST_REFUSAL: Final = 400
"""Below it devices hear that there is nothing new, or that they are to ask elsewhere."""
NOT_TRUSTED: Final = frozenset(ShownCertificate) - {ShownCertificate.LONG_CHAIN}
"""A device that is shown one of these turns away, before it has asked."""


def server_model(capacity: Capacity | None, traits: Iterable[CohortTraits]) -> ServerModel:
    """Raises NotACohort."""
    traits = tuple(traits)
    if capacity is None or not counts_all(capacity.hits, traits, "server.capacity"):
        return ServerModel()
    if any(fnmatchcase(asked.line, capacity.hits) for one in traits for asked in one.after_each_login):
        raise NotACohort(
            f"server.capacity hits {capacity.hits!r}, also what devices say after a login: say `CONNECT *`"
        )
    return ServerModel(
        service_us=max(1, round(US_PER_S / capacity.requests_per_s)),
        waiting_us=None if capacity.waiting_s is None else to_us(capacity.waiting_s),
        retry_after_us=asked_us(capacity.retry_after_s),
        sheds_after_us=None if capacity.sheds_after_s is None else to_us(capacity.sheds_after_s),
    )


def disruption_of(line: FaultLine, now_us: int, traits: tuple[CohortTraits, ...]) -> Disruption | None:
    """A fault from so long after now on; None for one that these devices never meet. Raises NotACohort."""
    check_fault(line, traits)
    if line.fault is not FaultKind.SERVER_CERTIFICATE and not counts_all(line.hits, traits, f"the fault {line.fault}"):
        return None
    begin_us = now_us + to_us(line.at_s)
    end_us = FOR_EVER_US if line.for_s is None else begin_us + to_us(line.for_s)
    share_milli = round(line.share * ALL_MILLI)
    match line.fault:
        case FaultKind.OUTAGE:
            is_silent = line.shows_as is Ending.SILENCE
            drops = any(one.drops_at_once for one in traits)
            answer = Unanswered.SILENT if is_silent else Unanswered.REFUSED
            return Disruption(begin_us, end_us, answer, share_milli=share_milli, drops_connections=drops)
        case FaultKind.OVERLOAD:
            asked = asked_us(line.retry_after_s)
            return Disruption(begin_us, end_us, Unanswered.TURNED_AWAY, asked, share_milli=share_milli)
        case FaultKind.CONNECT_REFUSED:
            return Disruption(begin_us, end_us, Unanswered.TURNED_AWAY, share_milli=share_milli)
        case FaultKind.SERVER_CERTIFICATE:
            return Disruption(begin_us, end_us, Unanswered.REFUSED, share_milli=share_milli)
        case _:
            late_us = to_us(line.delay_s or 0.0)
            return Disruption(begin_us, end_us, None, latency_us=late_us, share_milli=share_milli)


def asked_us(retry_after_s: float | None) -> int | None:
    """As `Retry-After` says it, in whole seconds. With `0` devices do what they do without it."""
    return None if retry_after_s is None or retry_after_s < 1 else int(retry_after_s) * US_PER_S


def check_fault(line: FaultLine, traits: Iterable[CohortTraits]) -> None:
    """Raises NotACohort for what the array engine does not know."""
    if line.times is not None:
        raise NotACohort(f"the fault {line.fault} ends after so many requests (`times`)")
    if abs(line.share * ALL_MILLI - round(line.share * ALL_MILLI)) > 1e-6:
        raise NotACohort(
            f"the fault {line.fault} has a share of {line.share:g}: the array engine counts in thousandths"
        )
    for one in traits:
        if why := why_unknown(line, one):
            raise NotACohort(why)


def why_unknown(line: FaultLine, one: CohortTraits) -> str:
    """Empty for a fault that the array engine knows."""
    match line.fault:
        case FaultKind.OUTAGE:
            is_whole = line.shows_as in (None, Ending.REFUSED) and line.hits == "*" and line.share >= 1
            if one.drops_at_once and not is_whole:
                return "of connected devices the array engine knows outages that refuse everything"
            return ""
        case FaultKind.OVERLOAD if not one.drops_at_once:
            return why_unknown_refusal(line, one)
        case FaultKind.LATENCY if not one.drops_at_once:
            return ""
        case FaultKind.CONNECT_REFUSED if one.is_connected and line.code is None:
            return ""
        case FaultKind.SERVER_CERTIFICATE if one.handshake and line.certificate in NOT_TRUSTED:
            if fnmatchcase(one.handshake, line.hits):
                return ""
            return f"the fault {line.fault} hits {line.hits!r}, and these devices begin with {one.handshake}"
        case _:
            return f"the fault {line.fault} needs the protocol"


def why_unknown_refusal(line: FaultLine, one: CohortTraits) -> str:
    if line.status in ABOUT_THE_DEVICE or (line.status == SLOWS_DOWN and not one.knows_retry_after):
        return f"after status {line.status} devices do more than to wait"
    if line.status is not None and line.status < FIRST_REFUSAL:
        return f"status {line.status} is no refusal"
    if line.retry_after_s is not None and not one.knows_retry_after:
        return "these devices take the longer of their own wait and Retry-After"
    return ""


def counts_all(hits: str, traits: Iterable[CohortTraits], what: str) -> bool:
    """Whether a glob fits all that is asked; False when it fits nothing. Raises NotACohort when it tells them apart."""
    fits = {fnmatchcase(asked.line, hits) for one in traits for asked in one.all_asked}
    if len(fits) > 1:
        raise NotACohort(f"{what} hits {hits!r}, which tells some requests of these devices from others")
    return fits == {True}
