"""A bench file to start from: the ports of this machine by stable names, and what nobody but its owner can know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from fleetrig.hil.ports.port_list import FoundPort

HEAD = """\
# A draft by `fleetrig board scan`: look which board hangs on which port, and fill in what is marked TODO.
# `fleetrig board list --bench THIS` checks it; `fleetrig schema bench` has every key, for editors."""
UNKNOWN = """\
    type: TODO                  # what it is, such as acme-gw2
    baud: 115200                # TODO: check
    # serial: TODO              # the unit's serial number, if it is fixed
    # identity: {ethaddr: TODO} # what the board must answer before it is written to
    # power: by_hand            # or command_line, relay_url, usb_hub, rts_dtr
    # flasher: {uboot_xmodem: {storage: mmc}}  # or uboot_tftp, smp, command_line and others
    # console: {kind: uboot}    # uboot, linux or none"""


def draft(ports: Sequence[FoundPort]) -> str:
    """The text of a file that can be read as it is."""
    return "\n".join(
        [HEAD, "boards:", *(line for number, port in enumerate(ports, 1) for line in _entry(number, port))]
    )


def _entry(number: int, port: FoundPort) -> Iterator[str]:
    yield f"  board-{number}:"
    yield f"    port: {json.dumps(port.port)}"
    if port.description:
        yield f"    # {re.sub(r'[^ -~]', '?', port.description)}"
    if not port.is_stable:
        yield "    # TODO: this name changes when adapters are plugged in anew, and there is no other; label the socket"
    yield UNKNOWN
