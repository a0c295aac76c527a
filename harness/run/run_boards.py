"""The boards of one run, as its words use them: by role, with what a run makes for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fleetrig.harness.bench.bench_board import BenchBoard
from fleetrig.harness.bench.board_bench import BoardBench
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.scenario_file.board_words import RUN_PLACE, BoardSelector
from fleetrig.harness.scenario_file.flashed_image import FlashedImage
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.flasher import Image
from fleetrig.hil.flashers.image import read_image


class UnitOutcome(NamedTuple):
    """What became of a unit in this run: the verdict of its record, or `refused`, and why."""

    serial: str
    verdict: str
    reason: str


@dataclass(slots=True)
class RunBoards:
    """`run` is a word of this run's own, which `{run}` stands for; `folder` is for what is made for it."""

    bench: BoardBench
    run: str
    folder: Path
    random_bytes: Callable[[int], bytes]
    seed: int = 0
    """Where faults of lines fall, and when."""
    units: dict[str, UnitOutcome] = field(default_factory=dict)
    """Role -> what became of the unit that its board was to be."""

    @property
    def names(self) -> Mapping[str, str]:
        """Role -> board."""
        return self.bench.run_desk.roles

    def of(self, words: BoardSelector) -> BenchBoard:
        """The board that a word names, or the only one."""
        return self.bench.boards[words.board or next(iter(self.bench.boards))]

    def filled(self, text: str) -> str:
        return text.replace(RUN_PLACE, self.run)

    def image(self, wanted: FlashedImage, sha256: str | None = None) -> Image:
        """Raises UsageError for a file that is not there, or has another SHA-256."""
        if wanted.file is not None:
            return read_image(wanted.file, sha256 or "")
        make_private_folder(self.folder)
        if wanted.gateway is not None:
            content, name = gateway_firmware(self.filled(wanted.gateway)), "gateway-firmware"
        else:
            content, name = self.random_bytes(wanted.size_bytes or 0), "image"
        path = self.folder / f"{name}-{len(list(self.folder.iterdir())) + 1}.bin"
        path.write_bytes(content)
        return read_image(path, sha256 or "")
