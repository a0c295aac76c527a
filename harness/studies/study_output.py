"""What is shown and left of a study, whole or interrupted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.studies.recommendation import Recommendation
from fleetrig.harness.studies.study_files import write_csv, write_json
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.study_table import WIDTH, legend_lines, table_lines
from fleetrig.harness.studies.sweep import StudyPlan

TABLE: Final = "table.csv"
WHOLE: Final = "study.json"
PARTIAL: Final = "partial-"
"""Before the names of files with the results of a study that was interrupted."""
PICTURES: Final = tuple(f"{name}.{kind}" for name in ("rate", "quiet") for kind in ("svg", "png"))


@dataclass(frozen=True, slots=True)
class StudyOutput:
    """The results of a study, and the folder that they go to."""

    plan: StudyPlan
    rows: Sequence[StudyRow]
    advice: Recommendation
    folder: Path
    is_complete: bool

    def lines(self) -> Iterator[str]:
        """For the terminal, without the places of files."""
        if self.rows:
            yield from table_lines(self.plan, self.rows)
            yield ""
            yield from legend_lines(self.plan)
            yield ""
        yield from textwrap.wrap(self.advice.sentence, WIDTH)

    def write(self) -> list[Path]:
        """Table and JSON, and pictures of a whole study. What an earlier one has left is removed: it may be another."""
        prefix = "" if self.is_complete else PARTIAL
        table, whole = (self.folder / f"{prefix}{name}" for name in (TABLE, WHOLE))
        write_csv(self.plan, self.rows, table)
        write_json(self.plan, self.rows, self.advice, whole, is_complete=self.is_complete)
        for name in (f"{PARTIAL}{TABLE}", f"{PARTIAL}{WHOLE}") if self.is_complete else (TABLE, WHOLE, *PICTURES):
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()
        return [table, whole, *(self._pictures() if self.is_complete else ())]

    def _pictures(self) -> Iterator[Path]:
        """The library takes a second to load, and only this needs it."""
        from fleetrig.harness.studies.picture_style import house_style, write_picture
        from fleetrig.harness.studies.quiet_picture import quiet_picture
        from fleetrig.harness.studies.rate_picture import rate_picture

        with house_style():
            if self.advice.row is not None and (rates := rate_picture(self.plan, self.rows, self.advice.row)):
                yield from write_picture(rates, self.folder, "rate")
            yield from write_picture(quiet_picture(self.plan, self.rows), self.folder, "quiet")
