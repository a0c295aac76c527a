"""What master and workers of a load run say to each other, over Locust's connection.

A worker does what its master says: the devices come pickled, with their programs and credentials, as Locust itself
sends programs to workers. A master takes plain values only. The connection is not encrypted.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from fleetrig.simulator.contract.identity import DeviceIdentity, TlsCredential
from fleetrig.simulator.drivers.load.figures import SecondOfLoad
from fleetrig.simulator.drivers.load.histogram import Histogram
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Behaviour

BEGIN: Final = "fleetrig_begin"
POWER_ON: Final = "fleetrig_power_on"
POWER_CUT: Final = "fleetrig_power_cut"
FORGET: Final = "fleetrig_forget"
ALL_OFF: Final = "fleetrig_all_off"
ARE_OFF: Final = "fleetrig_are_off"
TOLD: Final = "fleetrig_told"
FAILED: Final = "fleetrig_failed"
TO_WORKER: Final = (BEGIN, POWER_ON, POWER_CUT, FORGET, ALL_OFF)
TO_MASTER: Final = (TOLD, ARE_OFF, FAILED)


class SentDevice(NamedTuple):
    """A device that a worker shall switch on."""

    identity: DeviceIdentity
    behaviour: Behaviour
    tls_credential: TlsCredential | None
    at_us: int
    """When."""
    trigger: PowerCutTrigger | None


def devices_to_bytes(devices: Sequence[SentDevice]) -> bytes:
    """What they share, such as the settings of their make, is in there once."""
    packed = io.BytesIO()
    pickler = pickle.Pickler(packed)
    pickler.dispatch_table = copyreg.dispatch_table | {MappingProxyType: unfrozen}
    pickler.dump([tuple(one) for one in devices])
    return packed.getvalue()


def unfrozen(mapping: MappingProxyType[Any, Any]) -> tuple[Any, tuple[Any]]:
    """A mapping that nobody may change travels as a dictionary: pickle does not know it."""
    return frozen, (dict(mapping),)


def frozen(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)


def devices_from_bytes(data: bytes) -> list[SentDevice]:
    """Only a worker reads them, from the master that it was told to follow."""
    return [SentDevice(*one) for one in pickle.loads(data)]


def second_to_values(second: SecondOfLoad) -> list[Any]:
    histograms = (second.took, second.corrected, second.lateness, second.waking)
    counts = (second.started, second.answered, second.errors, second.dropped)
    return [*counts, *(one.buckets() for one in histograms)]


def second_from_values(values: Sequence[Any]) -> SecondOfLoad:
    """Raises ValueError, TypeError for what is none."""
    started, answered, errors, dropped = map(int, values[:4])
    took, corrected, lateness, waking = (Histogram({int(at): int(n) for at, n in one}) for one in values[4:])
    return SecondOfLoad(started, answered, errors, dropped, took, corrected, lateness, waking)


def seconds_from(told: Mapping[Any, Any]) -> dict[int, SecondOfLoad]:
    """Those of one message, by their number."""
    return {int(number): second_from_values(values) for number, values in told.items()}
