"""The updates that a run makes: files for each version, and the distribution set that carries them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.hawkbit.admin import UploadedFile
from fleetrig.harness.platforms.hawkbit.deploy_words import DeployedModule
from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.http import FileSlice, Repeated
from fleetrig.simulator.drivers.director import Director

SET_TYPES: Final = {frozenset({"os"}): "os", frozenset({"application"}): "app"}
"""Types of modules -> the type of set that takes them; a mixture goes into `os_app`."""
ONE_IMAGE: Final = (DeployedModule(),)


def made_set(
    run: HawkbitRun, version: str, size_bytes: int, modules: Sequence[DeployedModule] = ONE_IMAGE
) -> Director[int]:
    """The id of the distribution set of a version, made when it is not there yet."""
    if version not in run.set_ids:
        name = f"{run.context.prefix or 'fleetrig-'}image"
        ids = []
        for number, module in enumerate(modules, 1):
            suffix = f"-{number}" if len(modules) > 1 else ""
            files = tuple(files_of(run, version + suffix, module, module.size_bytes or size_bytes))
            ids.append((yield from run.admin.create_module(name + suffix, version, module.type, files)))
        set_type = SET_TYPES.get(frozenset(module.type for module in modules), "os_app")
        run.set_ids[version] = yield from run.admin.create_set(name, version, set_type, ids)
    return run.set_ids[version]


def files_of(run: HawkbitRun, label: str, module: DeployedModule, size_bytes: int) -> Iterator[UploadedFile]:
    """A module's files, all different: `label.img`, or `label-1.img`, `label-2.img` …, or under the names given."""
    for n in range(module.count):
        own = label if module.count == 1 else f"{label}-{n + 1}"
        usual, image = image_of(run, own, size_bytes)
        if not isinstance(module.files, int):
            yield UploadedFile(named_as(module.files[n], run.context.image), image)
        elif run.context.image is not None and own != label:
            yield UploadedFile(f"{n + 1}-{usual}", image)
        else:
            yield UploadedFile(usual, image)


def named_as(name: str, image: Path | None) -> str:
    """A name that a scenario gives; with the ending of the device's own image, by which many clients go."""
    return name if image is None else Path(name).stem + image.suffix


def image_of(run: HawkbitRun, label: str, size_bytes: int) -> UploadedFile:
    """An image made for the run, or the device's own. Raises BrokenBench for one that cannot be read."""
    image = run.context.image
    if image is None:
        return UploadedFile(f"{label}.img", made_image(label, size_bytes))
    try:
        with image.open("rb") as file:
            return UploadedFile(image.name, FileSlice(str(image), 0, file.seek(0, os.SEEK_END)))
    except OSError as wrong:
        raise BrokenBench(f"cannot read the image {image}: {system_said(wrong)}") from None


def made_image(label: str, size_bytes: int) -> Repeated:
    """An image that is different for each label and the same in each run, made as it is sent."""
    return Repeated(hashlib.sha256(label.encode()).digest(), 0, size_bytes)
