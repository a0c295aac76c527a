"""The serial ports of this machine, by names that stay the same when an adapter is plugged in anew. It chooses none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from serial.tools import list_ports

BY_ID: Final = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class FoundPort:
    """`port` is what to write in a bench file; `device` is what the kernel calls it for now."""

    port: str
    device: str
    description: str
    is_stable: bool


def found_ports(devices: Iterable[Any] | None = None, by_id: Path = BY_ID) -> list[FoundPort]:
    """In the order of their names. `devices` is what pyserial's `comports()` finds."""
    stable = {str(link.resolve()): str(link) for link in sorted(by_id.glob("*"))} if by_id.is_dir() else {}
    found = list_ports.comports() if devices is None else devices
    return sorted((_found(device, stable) for device in found), key=lambda port: port.port)


def _found(device: Any, stable: dict[str, str]) -> FoundPort:
    name = stable.get(str(Path(device.device).resolve()))
    words = [device.manufacturer, device.product, device.serial_number and f"serial number {device.serial_number}"]
    described = " ".join(word for word in words if word) or device.description or ""
    # Ports on the board itself (ttyS, ttyAMA) have no link, and keep their names.
    is_stable = name is not None or device.vid is None
    return FoundPort(name or device.device, device.device, "" if described == "n/a" else described, is_stable)
