"""A gateway of the Kura namespace: the whole of it.

    provisions itself   provisioning.py, attempt.py, commit.py   if `enabled` is set, and again whenever it is
    connects            data_service.py, transport.py            to what it was given, or was configured with by hand
    is connected        cloud_session.py, dispatcher.py          until it is lost, or something else is wanted

A gateway has one MQTT connection at a time: it leaves the old one in good order before it goes to be provisioned, and
comes back to it while it waits for its next attempt. Until an attempt is committed nothing of the old is touched.

Source: docs/contracts/kura.md, the rows G-01 to G-52. PROV-SIM1 and SIG-SIM1 are open profiles of this project.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow, Outcome, Pause
from fleetrig.simulator.flows.kura.cloud_session import CloudSession, cloud_session, end, go_on, is_to_leave
from fleetrig.simulator.flows.kura.commit import confirm_target, roll_back
from fleetrig.simulator.flows.kura.data_service import connected, must_roll_back
from fleetrig.simulator.flows.kura.life import FOREVER_S, GatewayLife, switched_on
from fleetrig.simulator.flows.kura.provisioning import provision
from fleetrig.simulator.flows.kura.settings import KuraSettings
from fleetrig.simulator.flows.kura.transport import why_not
from fleetrig.simulator.stages import Stage

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class KuraGateway:
    """Our make of gateway: a `Behaviour`."""

    settings: KuraSettings

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return gateway(self.settings, device, remembered)


KuraMake = Callable[[KuraSettings], Behaviour]
"""A make of gateway; `KuraGateway` is ours, tests hand in others that misbehave."""


def gateway(settings: KuraSettings, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
    """From power-on to the end, through the reboots of its own."""
    while True:
        life = switched_on(settings, device, remembered)
        yield from living(life)
        if not life.is_to_reboot:
            break
        yield Pause(settings.reboot_s, settings.reboot_s, "reboot")
        remembered = life.memory
    while settings.stays_on:
        yield Pause(DAY_S, DAY_S, "nothing to do")


def living(life: GatewayLife) -> Flow:
    """Until it reboots, or has nothing more to do."""
    if life.settings.start_spread_s > 0:
        yield from life.rest(0.0, life.settings.start_spread_s, "start spread")
    if life.stage is Stage.BLANK:
        yield from life.enter(Stage.ENROLLING, "power on")
    while not life.is_to_reboot:
        yield from life.do_what_is_due()
        if life.is_to_provision:
            yield from provision(life)
        elif may_connect(life):
            if (yield from is_over(life)):
                return
        elif (left_s := life.next_due_s() - life.now_s) < FOREVER_S:
            yield from refuse_vendors(life)
            yield from life.rest(left_s, left_s, "nothing to do")
        else:
            yield from refuse_vendors(life)
            return


def refuse_vendors(life: GatewayLife) -> Flow:
    """Says why it stays where it is, if it was given a broker that nobody here calls."""
    if life.transport.broker_url and (why := why_not(life.transport.broker_url)):
        yield from life.enter(Stage.REFUSED, why)


def may_connect(life: GatewayLife) -> bool:
    """It has a target, and nothing keeps it from going there."""
    if why_not(life.transport.broker_url) or not life.data.auto_on_startup or life.is_switched_off:
        return False
    return life.next_attempt_s is None or life.settings.returns_between_attempts


def is_over(life: GatewayLife) -> Generator[Effect, Outcome, bool]:
    """One connection to the target, and the way there. True when it has nothing more to do."""
    trouble = yield from connected(life)
    if trouble is not None:
        if must_roll_back(life):
            yield from roll_back(life)
        return False
    session = yield from cloud_session(life)
    yield from let_in(life)
    while not (session.lost or is_to_leave(life) or session.has_nothing_more_to_do):
        yield from go_on(session)
        if session.is_born:
            yield from confirm_target(life)
    yield from end(session)
    has_nothing_to_do = yield from why_it_ended(life, session)
    if session.lost and not session.is_born:
        life.target_failures += 1  # whoever lets a gateway in and then drops it does not have it
        if must_roll_back(life):
            yield from roll_back(life)
    return has_nothing_to_do


def let_in(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """The first time that makes it a device that its target knows."""
    if "stage" not in life.memory:
        yield from life.keep(stage=Stage.ENROLLED.value)
        yield from life.enter(Stage.ENROLLED, "it is let in")
    yield from life.enter(Stage.ONLINE)


def why_it_ended(life: GatewayLife, session: CloudSession) -> Generator[Effect, Outcome, bool]:
    if life.stage is Stage.UPDATING:
        yield from life.enter(Stage.ONLINE, "the connection ends")
    if session.lost:
        yield from life.enter(Stage.BACKING_OFF, session.lost)
    elif life.is_to_provision:
        yield from life.enter(Stage.MOVING, "it goes to be provisioned")
    elif is_to_leave(life):
        yield from life.enter(Stage.BACKING_OFF, "it left")
    else:
        return True
    return False
