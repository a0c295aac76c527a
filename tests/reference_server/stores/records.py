"""Records and kinds that the tests of the stores share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.reference_server.stores.interface import Kind


@dataclass(frozen=True, slots=True)
class Device:
    controller_id: str
    group: str | None = None
    polled_at_us: int = 0
    tags: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    number: int
    device: str
    is_open: bool = True


DEVICE = Kind(
    "test.device",
    Device,
    key=lambda device: device.controller_id,
    indexes={
        "group": lambda device: () if device.group is None else (device.group,),
        "tag": lambda device: device.tags,
    },
)
JOB = Kind(
    "test.job",
    Job,
    key=lambda job: job.number,
    indexes={"open": lambda job: (job.device,) if job.is_open else (), "parity": lambda job: (job.number % 2,)},
)
