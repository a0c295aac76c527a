"""The updates that a run makes: an image for each version, and the distribution set that carries it."""

from __future__ import annotations

import hashlib
import os

from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import BodyPart, FileSlice, Repeated
from fleetrig.simulator.drivers.director import Director


def made_set(run: HawkbitRun, version: str, size_bytes: int) -> Director[int]:
    """The id of the distribution set of a version, made when it is not there yet."""
    if version not in run.set_ids:
        image, file = image_of(run, version, size_bytes)
        name = f"{run.context.prefix or 'fleetrig-'}image"
        run.set_ids[version] = yield from run.admin.create_update(name, version, image, file)
    return run.set_ids[version]


def image_of(run: HawkbitRun, version: str, size_bytes: int) -> tuple[BodyPart, str]:
    """What is deployed, and the name of its file. Raises BrokenBench for an image that cannot be read."""
    image = run.context.image
    if image is None:
        return made_image(version, size_bytes), f"{version}.img"
    try:
        with image.open("rb") as file:
            return FileSlice(str(image), 0, file.seek(0, os.SEEK_END)), image.name
    except OSError as wrong:
        raise BrokenBench(f"cannot read the image {image}: {wrong.strerror or wrong}") from None


def made_image(version: str, size_bytes: int) -> Repeated:
    """An image that is different for each version and the same in each run, made as it is sent."""
    return Repeated(hashlib.sha256(version.encode()).digest(), 0, size_bytes)
