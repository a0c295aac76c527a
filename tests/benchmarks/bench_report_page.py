"""The report's page: how long it takes to be made, how large it is, and how long Chromium needs to open it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.page import report_page
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from tests.benchmarks.measure import ROUNDS, median, show
from tests.harness.test_both_times import SCENARIOS
from tests.peers.programs import need_program

MANY: Final = 10_000
OPENED: Final = "const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd - t.startTime"
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = need_program("chromium", "chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(word)
    driver = webdriver.Chrome(options, Service(need_program("chromedriver", "chromium-driver")))
    try:
        yield driver
    finally:
        driver.quit()


def with_many(document: dict[str, Any]) -> dict[str, Any]:
    """The same events again and again."""
    [run_shown] = document["runs"]
    times = -(-MANY // len(run_shown["events"]["at"]))
    events = {name: (column * times)[:MANY] for name, column in run_shown["events"].items()}
    return document | {"runs": [run_shown | {"events": events}]}


def bench_report_page(tmp_path: Path) -> None:
    [demo, *_] = plan(["hawkbit/demo"], SCENARIOS)
    report = asyncio.run(run(demo, RunOptions(trace=tmp_path / "t.trace.jsonl", results=tmp_path)))
    began_s = time.process_time()
    document = report_document([report], NOON)
    pages = {"the demo": report_page(document), f"{MANY:,} events": report_page(with_many(document))}
    print("\n  the report as a page")
    show("made of the demo's trace, CPU", f"{time.process_time() - began_s:.2f} s")
    with chromium() as browser:
        for name, page in pages.items():
            path = tmp_path / "page.html"
            path.write_text(page, encoding="utf-8")
            took_ms = []
            for _ in range(ROUNDS):
                browser.get("about:blank")
                browser.get(path.as_uri())
                took_ms.append(browser.execute_script(OPENED))
            show(f"{name}: size", f"{len(page) / 1e6:.2f} MB", "2 MB")
            show(f"{name}: opened", f"{median(took_ms):.0f} ms", "1,000 ms")
