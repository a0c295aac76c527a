"""Requests that wait for a command (`hono-ttd`): answered by the first that comes, or without one when time is up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.coap.answers import (
    CHANGED,
    CONTENT_FORMAT,
    LOCATION_PATH,
    LOCATION_QUERY,
    answer,
    changed_options,
    unsigned,
)
from fleetrig.reference_server.platforms.hono.coap.content_formats import content_format_of
from fleetrig.reference_server.platforms.hono.coap.requests import SHORT_NAMES, segments_of
from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer, CommandRouter, RoutedCommand
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import COAP
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class WaitingCoapRequest:
    """What it has brought is accepted already. `is_signed_in`: by DTLS."""

    session: Session
    request: CoapRequest
    consumer: CommandConsumer
    called: str
    is_signed_in: bool


MOST_WAITING: Final = 8_192
"""Who has waited longest is answered before its time."""


class WaitingRequests:
    def __init__(self, router: CommandRouter) -> None:
        self._router = router
        self._latest = 0
        self._by_key: dict[int, WaitingCoapRequest] = {}
        """In the order in which they came."""
        self._keys: dict[int, set[int]] = {}
        """By session."""
        self._deadlines = Deadlines[int]()

    def next_key(self) -> int:
        self._latest += 1
        return self._latest

    def put(self, waiting: WaitingCoapRequest, due_us: int, now_us: int) -> None:
        """Under the key of its consumer."""
        key = waiting.consumer.key
        self._by_key[key] = waiting
        self._keys.setdefault(waiting.session.id, set()).add(key)
        self._deadlines.put(key, due_us)
        self._router.begin(waiting.consumer)
        if len(self._by_key) > MOST_WAITING:
            self._deadlines.put(next(iter(self._by_key)), now_us)

    def deliver(self, routed: RoutedCommand, now_us: int) -> Reaction | None:
        """None when nobody waits for it any more."""
        waiting = self._take(routed.consumer.key)
        if waiting is None:
            return None
        command = routed.command
        response = CoapResponse(CHANGED, command.payload, _options(waiting, command, now_us))
        changed = f"command {command.name} handed over"
        return answer(waiting.session, waiting.request, response, device=waiting.called, changed=changed)

    def end_all(self, session: int) -> None:
        for key in sorted(self._keys.get(session, ())):
            self._take(key)

    def next_due_us(self) -> int | None:
        return self._deadlines.next_due_us()

    def advance(self, now_us: int) -> Iterator[Reaction]:
        while (key := self._deadlines.pop_due(now_us)) is not None:
            waiting = self._take(key)
            assert waiting is not None, "whoever has a deadline waits"
            response = CoapResponse(CHANGED, options=changed_options(waiting.request, now_us))
            yield answer(waiting.session, waiting.request, response, device=waiting.called)

    def _take(self, key: int) -> WaitingCoapRequest | None:
        waiting = self._by_key.pop(key, None)
        if waiting is not None:
            self._deadlines.cancel(key)
            self._router.end(waiting.consumer)
            of_session = self._keys[waiting.session.id]
            of_session.remove(key)
            if not of_session:
                del self._keys[waiting.session.id]
        return waiting


def consumer_for(tenant_id: str, device_id: str, gateway_id: str, key: int) -> CommandConsumer:
    return CommandConsumer(COAP, tenant_id, device_id, key, gateway_id)


def _options(waiting: WaitingCoapRequest, command: DeviceCommand, now_us: int) -> CoapOptions:
    """The command's name, where to send its response, and what its payload is, in the order of their numbers."""
    path = [(LOCATION_PATH, segment.encode()) for segment in _location(waiting, command)]
    number = content_format_of(command.content_type)
    form = [] if number is None else [(CONTENT_FORMAT, unsigned(number))]
    name = (LOCATION_QUERY, f"hono-command={command.name}".encode())
    return (*path, *form, name, *changed_options(waiting.request, now_us))


def _location(waiting: WaitingCoapRequest, command: DeviceCommand) -> list[str]:
    """In short for who has asked in short. A gateway learns for which device it is."""
    is_short = segments_of(waiting.request)[0] in SHORT_NAMES
    if command.is_one_way:
        target = ["", command.device_id] if command.gateway_id else []
        return ["c" if is_short else "command", *target]
    target = ["", command.device_id] if command.gateway_id else []
    if not waiting.is_signed_in:
        target = [command.tenant_id, command.device_id]
    return ["cr" if is_short else "command_response", *target, command.request_id]
