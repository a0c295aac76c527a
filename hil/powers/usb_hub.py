"""Power by a USB hub that can switch its ports, through the program uhubctl (GPL: called, not imported)."""

from __future__ import annotations

from typing import Final

from fleetrig.hil.powers.command_line import CommandLinePower

UHUBCTL: Final = "uhubctl"


def usb_hub_power(location: str, port: int, *, off_s: float = 2.0, program: str = UHUBCTL) -> CommandLinePower:
    """`location` as `uhubctl` lists it (`1-1.4`), `port` of that hub, counted from 1.

    Raises, when used, BrokenBench: the program is missing, or the hub refuses. Many hubs only pretend to switch: see
    that the board's port really goes away.
    """

    def command(action: str) -> str:
        return f"{program} -l {location} -p {port} -a {action}"

    return CommandLinePower(
        command("on"), command("off"), off_s=off_s, title=f"USB hub {location}, port {port} (uhubctl)"
    )
