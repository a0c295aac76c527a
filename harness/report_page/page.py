"""The page: one HTML file that opens offline and fetches nothing. What it shows lies in it as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from fleetrig.harness.report.curve_groups import groups_of
from fleetrig.harness.report.curve_page import curve_sections
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.run_section import Document
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import BrokenBench, system_said

SCRIPTS: Final = ("page_parts.js", "page_verdicts.js", "page_curves.js", "page_timeline.js", "page_rows.js")
"""In this order: the last one begins to draw."""
CURVES: Final = '<section class="light" aria-labelledby="curves-title"><h2 id="curves-title">Curves</h2>\n{}</section>'


def write_report_page(reports: Sequence[Report], path: Path) -> None:
    """Writes the page, whole. Raises BrokenBench if it cannot be written."""
    page = report_page(report_document(reports, datetime.now(UTC)), curve_sections(groups_of(reports)))
    try:
        with whole_file(path) as file:
            file.write(page)
    except OSError as wrong:
        raise BrokenBench(f"cannot write {path}: {system_said(wrong)}") from None


def report_page(document: Document, curves: str = "") -> str:
    """`curves`: what the checks of scenarios have drawn, as HTML."""
    script = "\n".join(map(_asset, SCRIPTS))
    return Template(_asset("page.html")).substitute(
        title=escape(str(document["title"])),
        css=_asset("page.css"),
        curves=CURVES.format(curves) if curves else "",
        document=embedded(document),
        script=script,
        hash=base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode(),
    )


def embedded(document: Document) -> str:
    """As JSON in which nothing can end the element that it stands in."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("fleetrig.harness.report_page").joinpath(name).read_text(encoding="utf-8").strip()
