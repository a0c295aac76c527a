"""Performing `send_control`: a control message to a device, with a signature or without, in the server's own name."""

from __future__ import annotations

import json
from typing import Final

from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.record import sightings
from fleetrig.harness.platforms.kura.words import SendControl
from fleetrig.reference_server.northbound import NorthboundCommand
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall, Director

JSON: Final = "application/json"
COMMAND: Final = "control"
"""As our own server calls it."""


def send_control(run: KuraRun, words: SendControl) -> Director[None]:
    """Raises BrokenBench where nobody can send such messages, and for a device that is not connected."""
    send = run.context.server.send_command
    if send is None:
        raise BrokenBench(
            f"nobody here can send control messages through {run.context.server.name}; say `needs: "
            "[reference.reasons]` to skip the scenario there"
        )
    for serial in run.context.record_names(words.only):
        message = control_message(run, serial, words, (yield from account_now(run, serial)))
        for _ in range(words.times):
            if why_not := (yield from send(message)):
                raise BrokenBench(f"{serial} was not sent the message: {why_not}")


def account_now(run: KuraRun, serial: str) -> AdminCall[str]:
    """The name of the account in which a device is, or was last."""
    here = max((yield from sightings(run, serial)), key=lambda one: one.rank)
    return run.account_name(here.account)


def control_message(run: KuraRun, serial: str, words: SendControl, account: str) -> NorthboundCommand:
    """As our own server takes it; no reply is waited for."""
    how = {
        "app": words.app,
        "method": words.method,
        "resource": words.resource,
        "signature": words.signature,
        "metrics": dict(words.metrics),
        "body": words.body,
    }
    if words.requester is not None:
        how["requester"] = words.requester
    return NorthboundCommand(account, run.names(serial).client_id, COMMAND, json.dumps(how).encode(), JSON, True)
