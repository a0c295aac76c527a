"""Performing `command`: an application asks something of a device, which has to listen for that."""

from __future__ import annotations

import json
from typing import Final

from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.record import known_device
from fleetrig.harness.platforms.hono.words import SendCommand
from fleetrig.reference_server.northbound import NorthboundCommand
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.effects import Pause

JSON: Final = "application/json"
LISTENS_WITHIN_S: Final = 60.0
"""Over HTTP and CoAP a device listens only while it waits for the answer to a message."""
TRY_EVERY_S: Final = 0.25


def send_command(run: HonoRun, words: SendCommand) -> Director[None]:
    """Raises BrokenBench where nobody can send commands, and for a device that does not listen in time."""
    payload = json.dumps(dict(words.payload)).encode()
    for serial in run.context.record_names(words.only):
        device_id = yield from known_device(run, serial)
        command = NorthboundCommand(run.tenant, device_id, words.name, payload, JSON, words.one_way)
        yield from until_taken(run, serial, command)


def until_taken(run: HonoRun, serial: str, command: NorthboundCommand) -> Director[None]:
    send = run.context.server.send_command
    if send is None:
        raise BrokenBench(
            f"nobody here can send commands through {run.context.server.name}; say `needs: [reference.reasons]` to "
            "skip the scenario there"
        )
    deadline_us = run.context.driver.now_us() + to_us(LISTENS_WITHIN_S)
    while why_not := (yield from send(command)):
        if run.context.driver.now_us() > deadline_us:
            raise BrokenBench(f"{serial} takes no command within {LISTENS_WITHIN_S:g} s: {why_not}")
        yield Pause(TRY_EVERY_S, TRY_EVERY_S, "until the device listens")
