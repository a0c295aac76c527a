"""The ProvisioningService: attempts, their rhythm, and what becomes of them (spec 1.3, 1.4, 1.6, 3.7).

    IDLE -> WAIT_START -> one attempt after the other, at a fixed rate -> COMMITTED, or given up

An attempt changes nothing but memory of its own: until it is committed the old configuration is all there is.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.attempt import attempted
from fleetrig.simulator.flows.kura.components import FOR_EVER
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.material import Refusal
from fleetrig.simulator.flows.kura.naming import instance_of
from fleetrig.simulator.flows.kura.transport import why_not
from fleetrig.simulator.stages import Stage

NO_RANDOM_START_BELOW_S: Final = 15
START_SHARE: Final = 5
GAVE_UP: Final = "gave_up"
REFUSED_LOCALLY: Final = "refused_locally"


def why_refused_locally(life: GatewayLife) -> str:
    """What this gateway does not even try; empty when there is nothing against it."""
    settings, wanted = life.settings, life.provisioning.broker_url
    if why := why_not(wanted):
        return why
    if settings.connection_name and settings.default_connection_only:
        return "before ESF 7 only the default cloud connection can be provisioned"
    if any(instance_of(wanted) == instance_of(other) for other in settings.other_instances):
        return f"another cloud connection of this gateway is provisioned with {instance_of(wanted)} already"
    return ""


def provision(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """The attempt that is due, and what follows from it."""
    yield from life.enter(Stage.ENROLLING, "it provisions itself")
    if why := why_refused_locally(life):
        yield from give_up(life, REFUSED_LOCALLY, why)
        return
    if life.attempts == 0:
        yield from wait_for_start(life)
        if not life.is_to_provision:
            yield from life.enter(Stage.BACKING_OFF, "called off")
            return
    started_s = life.now_s
    life.attempts += 1
    refusal = yield from attempted(life)
    if refusal is None:
        yield from life.enter(Stage.ENROLLED, "provisioned")
    elif life.next_attempt_s is not None:
        yield from after_failure(life, started_s, refusal)
    else:
        yield from life.enter(Stage.BACKING_OFF, refusal.why)


def wait_for_start(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """Whole seconds by chance, so that a fleet does not come at once; short intervals have none."""
    interval_s = life.provisioning.retry_interval_s
    if interval_s < NO_RANDOM_START_BELOW_S:
        return
    drawn_s = yield from life.rest(0.0, float(interval_s // START_SHARE), "provision-start", whole_s=True)
    if drawn_s < 1:
        yield from life.rest(1.0, 1.0, "provision-start")
    yield from life.do_what_is_due()


def after_failure(life: GatewayLife, started_s: float, refusal: Refusal) -> Generator[Effect, Outcome, None]:
    """The next attempt a fixed interval after the start of this one, never before the server wants it; or none."""
    limit = life.provisioning.retry_max_attempts
    if limit != FOR_EVER and life.attempts >= limit:
        yield from give_up(life, GAVE_UP, refusal.why)
        return
    yield from life.enter(Stage.BACKING_OFF, refusal.why)
    at_s = max(started_s + life.provisioning.retry_interval_s, life.now_s + refusal.retry_after_s)
    life.next_attempt_s = max(at_s, life.now_s)


def give_up(life: GatewayLife, fault: str, why: str) -> Generator[Effect, Outcome, None]:
    """The flags stay as they are (spec 1.4); what was configured before is as it was."""
    life.next_attempt_s = None
    yield from life.keep(fault=fault)
    yield from life.enter(Stage.REFUSED, why)
