"""The page of benchmarks: what they print, written down with the machine in general terms.

A section of a benchmark that was not run stays as it was. Only figures of virtual time stand there.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PLACE: Final = "BENCH_PAGE"
"""The variable of the environment that names the page; without it nothing is written."""
SECTIONS: Final[Mapping[str, str]] = {
    "bench_outages": "What an answer costs",
    "bench_studies": "What a study costs",
    "bench_cohort": "The array engine",
    "bench_virtual_time": "The exact engine",
    "bench_first_peaks": "First peaks, counted and computed",
}
"""Module -> its section, in this order."""
SECTION: Final = re.compile(r"^## (.*?)\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
HEAD: Final = """# Benchmarks of virtual time

CPU time, medians of at least three rounds; both sides of a ratio are measured in one run, by turns. Absolute values
move by a factor of two between machines, and by a half between two runs on a busy one: use the ratios.
`make bench-fleets` measures all of this on your machine and writes this page anew, `make bench` does that and measures
everything else too.

"""


def machine() -> str:
    """`2 cores (x86_64), Python 3.11`."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {'.'.join(platform.python_version_tuple()[:2])}"


def sections_of(page: str) -> dict[str, str]:
    """Title -> text."""
    return {title: text.strip() for title, text in SECTION.findall(page)}


def page_with(page: str, printed: Mapping[str, str], where: str) -> str:
    """The page with what these modules have printed. Raises KeyError for one that has no section."""
    texts = sections_of(page)
    for module, text in printed.items():
        texts[SECTIONS[module]] = f"{where}\n\n```text\n{text.strip(chr(10)).rstrip()}\n```"
    known = (title for title in SECTIONS.values() if title in texts)
    return HEAD + "\n\n".join(f"## {title}\n\n{texts[title]}" for title in known) + "\n"


def write_page(path: Path, printed: Mapping[str, str]) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page_with(before, printed, f"Measured on {machine()}."), encoding="utf-8")
