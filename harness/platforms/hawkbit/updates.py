"""The updates that a run makes: an image for each version, and the distribution set that carries it."""

from __future__ import annotations

import hashlib

from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import Director


def made_set(run: HawkbitRun, version: str, size_bytes: int) -> Director[int]:
    """The id of the distribution set of a version, made when it is not there yet."""
    if version not in run.set_ids:
        image, file = image_of(run, version, size_bytes)
        name = f"{run.context.prefix or 'fleetrig-'}image"
        run.set_ids[version] = yield from run.admin.create_update(name, version, image, file)
    return run.set_ids[version]


def image_of(run: HawkbitRun, version: str, size_bytes: int) -> tuple[bytes, str]:
    """What is deployed, and the name of its file. Raises BrokenBench for an image that cannot be read."""
    if run.context.image is None:
        return image_bytes(version, size_bytes), f"{version}.img"
    try:
        return run.context.image.read_bytes(), run.context.image.name
    except OSError as wrong:
        raise BrokenBench(f"cannot read the image {run.context.image}: {wrong.strerror or wrong}") from None


def image_bytes(version: str, size_bytes: int) -> bytes:
    """An image that is different for each version and the same in each run."""
    block = hashlib.sha256(version.encode()).digest()
    return (block * (size_bytes // len(block) + 1))[:size_bytes]
