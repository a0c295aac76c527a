"""A server that can do only so much: one request after the other, the others queue, and the queue has an end. Pure.

The same in both times: how long a request waits follows from when it and those before it came, and from nothing else.
What a request asks for is done when it comes; its answer is late by the queue and by its own turn. A server that sheds
drops those that have waited too long when their turn comes: nothing is done for them, and nobody tells them.
"""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.fault_plan import FaultPlan, ScheduledFault
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, MqttSubscribe, MqttUnsubscribe

WORK = HttpRequest | CoapRequest | MqttConnect | MqttPublish | MqttSubscribe | MqttUnsubscribe
"""What takes a turn; a ping or an acknowledgement costs next to nothing."""


def take_turn(plan: FaultPlan, envelope: Envelope, now_us: int) -> int | Fault:
    """The microseconds until the answer, 0 where nothing limits the server; or the fault by which it is turned away."""
    if plan.is_idle or not isinstance(envelope, WORK):
        return 0
    entry = plan.trigger_entry(_is_capacity, (envelope.line,), now_us)
    return 0 if entry is None else _queue(entry, now_us)


def _queue(entry: ScheduledFault, now_us: int) -> int | Fault:
    waits_us = max(0, entry.busy_until_us - now_us)
    if _is_longer(waits_us, entry.fault.number("waiting_s")):
        return entry.fault
    if _is_longer(waits_us, entry.fault.number("sheds_after_s")):
        return replace(entry.fault, shows_as=Ending.SILENCE)
    service_us = max(1, round(US_PER_S / (entry.fault.number("requests_per_s") or 1.0)))
    entry.busy_until_us = now_us + waits_us + service_us
    return waits_us + service_us


def _is_longer(waits_us: int, limit_s: float | None) -> bool:
    return limit_s is not None and waits_us > to_us(limit_s)


def _is_capacity(fault: Fault) -> bool:
    return fault.kind is FaultKind.CAPACITY
