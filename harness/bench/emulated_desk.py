"""The bench of those who have none: boards that are emulated on this machine, for learning and for trying scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.bench.bench_file import BenchFile, Desk
from fleetrig.harness.bench.fake_agent import IDENTITY
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.hil.emulated.linux_gateway import HOST

DEVICES_OF: Final = next(iter(PLATFORMS))
"""The platform whose device the fake gateway is."""
FLASHER: Final = {"uboot_xmodem": {"storage": "virtio", "prepare": ["virtio scan"]}}

IDENTITY_FILE: Final = "URL='${url}'\nTENANT=${tenant}\nID=${serial}\nTOKEN='${token}'\n"
"""What the agents of the gateway and of the fake one read. U-Boot alone has none: its flash keeps no variables."""
PROVISIONING: Final[Mapping[str, Mapping[str, Any]]] = {"gateway": {"host": HOST}, "fake": {}}


def _board(
    kind: str, type_: str, serial: str, console: str, offers: str, identity: str = IDENTITY_FILE, **settings: str
) -> Mapping[str, Any]:
    """All are flashed alike, and say who they are by their serial number."""
    return {
        "type": type_,
        "emulated": {kind: {"serial": serial, **settings}},
        "serial": serial,
        "identity": {"serial#": serial},
        "console": {"kind": console},
        "flasher": FLASHER,
        "provisioning": {**PROVISIONING[kind], "files": {IDENTITY: identity}} if kind in PROVISIONING else None,
        "offers": offers.split(),
    }


def _fake(serial: str, offers: str = "power", **settings: str) -> Mapping[str, Any]:
    return _board("fake", "fake-board", serial, "linux", offers, **settings)


BOARDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "emulated-uboot": _board("uboot", "qemu-arm64-uboot", "EMU-0001", "uboot", "power"),
    "emulated-uboot-2": _board("uboot", "qemu-arm64-uboot", "EMU-0002", "uboot", "power"),
    "emulated-gateway": _board("gateway", "qemu-arm64-gateway", "EMU-GW-0001", "linux", "power network"),
    "fake-gateway": _board("fake", "fake-gateway", "FAKE-GW-0001", "linux", "power network", agent=DEVICES_OF),
    "fake-1": _fake("FAKE-0001"),
    "fake-2": _fake("FAKE-0002"),
    "fake-3": _fake("FAKE-0003"),
    "fake-bad": _fake("FAKE-0004", "power protected_storage", fault="protected_storage"),
    "fake-silent": _fake("FAKE-0005", "power silence", fault="silent"),
    "fake-panics": _fake("FAKE-0006", "power panics", fault="panics"),
    "fake-loops": _fake("FAKE-0007", "power boot_loop", fault="boot_loop"),
    "fake-other": _fake("FAKE-0008", "power wrong_identity", fault="wrong_identity"),
}
"""A role of a scenario that asks for no more than its type gets one that is in order: those come first."""


def _gateways_of_platforms() -> Mapping[str, Mapping[str, Any]]:
    """Fake gateways that are devices of the other platforms: each is told what those of its platform need."""
    found = {}
    for name in PLATFORMS:
        told = vocabulary_of(name).board_values
        if told and name != DEVICES_OF:
            kind, serial = f"fake-{name}-gateway", f"FAKE-{name.upper()}-0001"
            identity = "".join(f"{value.upper()}='${{{value}}}'\n" for value in ("url", "tenant", "id", *told))
            found[kind] = _board("fake", kind, serial, "linux", "power network", identity, agent=name)
    return found


def emulated_desk() -> Desk:
    entries = BenchFile.model_validate({"boards": {**BOARDS, **_gateways_of_platforms()}}).boards
    return Desk("the emulated bench", entries, hint="boards of your own need --bench BENCH.yaml")
