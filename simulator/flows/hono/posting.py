"""Over HTTP and CoAP: each request shows anew what the device may do, and its answer may bring a command."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, NamedTuple

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Disconnect, Effect, NoReply, Outcome, Pause, ask
from fleetrig.simulator.flows.hono import command as commands
from fleetrig.simulator.flows.hono import heard as readings
from fleetrig.simulator.flows.hono.command import Command, Result, carry_out
from fleetrig.simulator.flows.hono.heard import ACCEPTED, Heard
from fleetrig.simulator.flows.hono.life import OWN, HonoLife
from fleetrig.simulator.flows.hono.messages import (
    data_over_coap,
    data_over_http,
    result_over_coap,
    result_over_http,
)
from fleetrig.simulator.stages import Stage

RESULT: Final = "command-response"
RESULT_TRIES: Final = 3
"""After so many failures an answer to a command is dropped: who sent the command waits no longer."""


class Answered(NamedTuple):
    heard: Heard
    command: Command | None = None


class Way(NamedTuple):
    """How one of the two protocols is spoken."""

    data: Callable[[HonoLife, str], HttpRequest | CoapRequest]
    result: Callable[[HonoLife, Command, Result], HttpRequest | CoapRequest]


HTTP: Final = Way(data_over_http, result_over_http)
COAP: Final = Way(data_over_coap, result_over_coap)


def posting_session(way: Way, life: HonoLife) -> Generator[Effect, Outcome, Heard | None]:
    """Ends with trouble, or with None when the device has sent all that it wanted to."""
    while True:
        for device_id in life.due():
            trouble = yield from sent(way, life, device_id)
            if trouble is not None:
                yield Disconnect()
                return trouble
        if life.is_done:
            yield Disconnect()
            return None
        yield Pause(life.pace_s, life.pace_s, "telemetry interval")


def sent(way: Way, life: HonoLife, device_id: str) -> Generator[Effect, Outcome, Heard | None]:
    """One message, and the command that came back with it. None unless the device itself has trouble."""
    settings = life.settings
    within_s = settings.timeout_s + (settings.ttd_s or 0)
    name = settings.endpoint.value if device_id == OWN else f"gateway-{settings.endpoint}"
    answer = yield from posted(name, way.data(life, device_id), within_s)
    heard = answer.heard
    if is_lost_at_most_once(life, heard):
        heard = ACCEPTED
    if not life.settle(device_id, heard):
        return heard
    yield from life.came_through()
    if answer.command is not None:
        yield from done(way, life, answer.command)
    return None


def is_lost_at_most_once(life: HonoLife, heard: Heard) -> bool:
    """A request over CoAP that is not confirmable has no claim to an answer."""
    is_coap = life.settings.scheme.startswith("coap")
    return is_coap and life.is_enrolled and not life.settings.at_least_once and heard.why == "timeout"


def done(way: Way, life: HonoLife, command: Command) -> Generator[Effect, Outcome, None]:
    """Carries out a command, and says so to who waits for it (D15)."""
    result = carry_out(life, command)
    for tries in range(1, RESULT_TRIES + 1):
        if not command.request_id:
            return
        answer = yield from posted(RESULT, way.result(life, command, result), life.settings.timeout_s)
        if answer.heard.is_good or 400 <= answer.heard.status < 500:
            return
        if tries < RESULT_TRIES:
            yield from life.back_off(Stage.BACKING_OFF, answer.heard)
            yield from life.enter(Stage.ONLINE)


def posted(name: str, request: HttpRequest | CoapRequest, within_s: float) -> Generator[Effect, Outcome, Answered]:
    if isinstance(request, HttpRequest):
        answer = yield from ask(name, request, within_s)
        if isinstance(answer, NoReply):
            return Answered(readings.from_silence(answer))
        return Answered(readings.from_http(answer.envelope), commands.from_http(answer.envelope))
    reply = yield from ask(name, request, within_s)
    if isinstance(reply, NoReply):
        return Answered(readings.from_silence(reply))
    return Answered(readings.from_coap(reply.envelope), commands.from_coap(reply.envelope))
