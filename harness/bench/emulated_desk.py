"""The bench of those who have none: boards that are emulated on this machine, for learning and for trying scenarios."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.bench.bench_file import BenchFile, Desk

BOARDS: Final = {
    "emulated-uboot": {
        "type": "qemu-arm64-uboot",
        "emulated": "uboot",
        "identity": {"board": "qemu-arm"},
        "console": {"kind": "uboot"},
        "flasher": {"uboot_xmodem": {"storage": "virtio", "prepare": ["virtio scan"]}},
    }
}


def emulated_desk() -> Desk:
    return Desk("the emulated bench", BenchFile.model_validate({"boards": BOARDS}).boards)
