"""The flasher of a board, as its bench file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.hil.board import BoardSpec
from fleetrig.hil.console import Console
from fleetrig.hil.flasher import Flasher
from fleetrig.hil.flashers.uboot_xmodem import BlockStorage, Ram, UbootXmodem
from fleetrig.simulator.contract.errors import ModelError, UsageError

BITS_PER_BYTE: Final = 10
XMODEM_OVERHEAD: Final = 1029 / 1024
"""A block of 1 KiB travels with a header, a number twice and a CRC; its acknowledgement goes the other way."""


def check_can_be_flashed(spec: BoardSpec) -> None:
    """Before anything is touched. Raises UsageError: without a flasher, or without an identity to ask for."""
    if spec.flasher is None:
        raise UsageError(f"{spec.name} has no flasher: say `flasher: {{uboot_xmodem: …}}` in the bench file")
    if not spec.identity:
        raise UsageError(
            f"{spec.name} has no identity: the board is asked who it is before it is written to, so say what it must "
            "answer, such as `identity: {ethaddr: 52:54:00:12:34:56}` (`printenv` on its console shows what it has)"
        )


def flasher_of(spec: BoardSpec, console: Console) -> Flasher:
    """Of a board that `check_can_be_flashed` has let pass."""
    assert spec.flasher is not None
    match spec.flasher.kind:
        case "uboot_xmodem":
            return _uboot_xmodem(spec.flasher.settings, spec, console)
        case kind:
            raise ModelError(f"the bench file knows the flasher {kind}, and nothing here makes it")


def least_s(size_bytes: int, baud: int) -> float:
    """How long a line of that speed takes at least."""
    return size_bytes * XMODEM_OVERHEAD * BITS_PER_BYTE / baud


def _uboot_xmodem(settings: Mapping[str, Any], spec: BoardSpec, console: Console) -> UbootXmodem:
    storage = BlockStorage(settings["storage"], settings["prepare"], settings["first_block"])
    return UbootXmodem(console, spec.identity, storage, Ram(settings["received"], settings["read_back"]))
