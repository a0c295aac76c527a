"""The device lane of the trace: how drivers write down what a device does."""

from __future__ import annotations

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttConnack
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Connect,
    Disconnect,
    Done,
    Download,
    Downloaded,
    Effect,
    Enter,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    Tell,
)


def trace_effect(trace: Trace, at_us: int, agent: Agent, effect: Effect) -> None:
    """What the device is about to do. An effect that only takes time is traced with its outcome."""
    device = agent.identity.serial
    match effect:
        case Ask(name, request) | Download(name, request):
            trace.emit(at_us, Lane.DEVICE, "sent", device, envelope=request, stage=agent.stage, name=name)
        case Tell(name, envelope) | Connect(name, _, envelope) if envelope is not None:
            trace.emit(at_us, Lane.DEVICE, "sent", device, envelope=envelope, stage=agent.stage, name=name)
        case Enter(stage, why) if stage is not agent.stage:
            trace.emit(at_us, Lane.DEVICE, "entered", device, stage=stage, reason=why)
        case Remember(what):
            trace.emit(at_us, Lane.DEVICE, "remembered", device, stage=agent.stage, name=" ".join(sorted(what)))
        case _:
            pass


def trace_outcome(trace: Trace, at_us: int, agent: Agent, effect: Effect, outcome: Outcome) -> None:
    """The outcome of an effect."""
    device, stage = agent.identity.serial, agent.stage
    after_us = to_us(outcome.after_s)
    match effect:
        case Pause(why=why):  # the two that are most frequent, first
            trace.emit(at_us, Lane.DEVICE, "paused", device, stage=stage, reason=why, took_us=after_us)
            return
        case Ask(name) if isinstance(outcome, Reply):
            trace.emit(
                at_us,
                Lane.DEVICE,
                "received",
                device,
                envelope=outcome.envelope,
                stage=stage,
                name=name,
                took_us=after_us,
            )
            return
        case _:
            pass
    match effect, outcome:
        case Await(name), NoReply("timeout"):
            trace.emit(at_us, Lane.DEVICE, "waited", device, stage=stage, name=name, took_us=after_us)
        case ((Connect(name) | Ask(name) | Tell(name) | Await(name) | Download(name)), NoReply(why)):
            trace.emit(at_us, Lane.DEVICE, "no_reply", device, stage=stage, reason=why, name=name, took_us=after_us)
        case ((Connect(name) | Await(name)), Reply(envelope)):
            trace.emit(
                at_us, Lane.DEVICE, "received", device, envelope=envelope, stage=stage, name=name, took_us=after_us
            )
        case Download(name), Downloaded() as got:
            note = f"{got.status}: {got.received_bytes} bytes" + (", cut" if got.cut else "")
            trace.emit(at_us, Lane.DEVICE, "downloaded", device, stage=stage, reason=note, name=name, took_us=after_us)
        case Apply(image, slice_s), _:
            trace.emit(at_us, Lane.DEVICE, "applied", device, stage=stage, name=image, took_us=to_us(slice_s))
        case Disconnect(), _:
            trace.emit(at_us, Lane.DEVICE, "disconnected", device, stage=stage)
        case _:
            pass
    match effect, outcome:
        case Connect(name, where), Done() | Reply(MqttConnack(code=0)):
            trace.emit(at_us, Lane.DEVICE, "connected", device, stage=stage, reason=where, name=name, took_us=after_us)


def trace_power(trace: Trace, at_us: int, agent: Agent, kind: str, reason: str = "") -> None:
    """`power_on`, `power_cut` or `ended`."""
    trace.emit(at_us, Lane.DEVICE, kind, agent.identity.serial, stage=agent.stage, reason=reason)


def trace_dropped(trace: Trace, at_us: int, agent: Agent, envelope: Envelope) -> None:
    """The inbox was full, and its oldest envelope was dropped."""
    trace.emit(at_us, Lane.DEVICE, "dropped", agent.identity.serial, envelope=envelope, stage=agent.stage)
