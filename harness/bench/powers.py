"""Who switches a board, as its bench file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleetrig.harness.bench.asking import ask_person
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.port import BoardPort
from fleetrig.hil.power import Power
from fleetrig.hil.powers.by_hand import ByHandPower
from fleetrig.hil.powers.command_line import CommandLinePower
from fleetrig.hil.powers.relay_url import RelayCall, RelayUrlPower
from fleetrig.hil.powers.rts_dtr import RtsDtrPower
from fleetrig.hil.powers.usb_hub import usb_hub_power
from fleetrig.simulator.contract.errors import ModelError


def power_of(spec: BoardSpec, port: BoardPort) -> Power | None:
    """None for a board that the bench cannot switch."""
    if spec.power is None:
        return None
    given: Mapping[str, Any] = spec.power.settings
    match spec.power.kind:
        case "command_line":
            return CommandLinePower(given["on"], given["off"], given["reset"], given["off_s"])
        case "relay_url":
            return _relay(given)
        case "usb_hub":
            return usb_hub_power(given["location"], given["port"], off_s=given["off_s"])
        case "rts_dtr":
            return RtsDtrPower(port, given["line"], given["hold_s"])
        case "by_hand":
            return ByHandPower(spec.name, ask_person)
        case kind:
            raise ModelError(f"the bench file knows the power {kind}, and nothing here makes it")


def _relay(given: Mapping[str, Any]) -> RelayUrlPower:
    def call(what: str) -> RelayCall:
        body = given.get(f"{what}_body")
        return RelayCall(given[what], None if body is None else body.encode())

    return RelayUrlPower(call("on"), call("off"), call("reset") if "reset" in given else None, given["off_s"])
