"""What is cited can be read: every row and clause of a platform has its place on the platform's contract page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.conformance.contract_page import CLAUSE, clauses_of, rows_of
from fleetrig.harness.platforms.hawkbit.conformance import device_rows as hawkbit_rows
from fleetrig.harness.platforms.hono.conformance import device_rows as hono_rows
from fleetrig.harness.platforms.kura.conformance import device_rows as kura_rows
from fleetrig.harness.platforms.thingsboard.conformance import device_rows as thingsboard_rows
from fleetrig.harness.verdict import Severity
from tests.contracts import PAGES, path_of

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "harness", "reference_server", "scenarios", "simulator", "tests")
SUFFIXES = {".py", ".yaml", ".md"}
ELSEWHERE = re.compile(r"(RFC|MQTT) [\d.]+\s+(§[\d.]+(, )?)+|https?://\S+\s+§[\d.]+")
"""Sections of documents that are not ours."""
OF_STANDARDS = (
    "reference_server/coap_",
    "reference_server/fronts/coap",
    "reference_server/fronts/dtls",
    "reference_server/fronts/mqtt",
    "reference_server/fronts/tls",
    "reference_server/mqtt_",
    "simulator/transports",
    "tests/benchmarks",
    "tests/brokering",
    "tests/coap",
    "tests/conversation",
    "tests/golden/",
    "tests/reference_server/coap_",
    "tests/reference_server/fronts/coap",
    "tests/reference_server/fronts/dtls",
    "tests/reference_server/fronts/mqtt",
    "tests/reference_server/fronts/tls",
    "tests/reference_server/mqtt_",
    "tests/simulator",
)
"""Where sections are those of MQTT, CoAP and TLS, and rows those of platforms that are to come."""
ROW = re.compile(r"(?<![.+\w])(?:[DS]\d{2,3}|V\d{2})\b(?! = )")
WITH_PLATFORM = re.compile(r"\b(\w+)#([A-Z]\d{2,3})\b")
CITED = re.compile(rf"(?:\b(\w+)#)?({ROW.pattern})")
"""With the platform, where that is said: `thingsboard#D14`."""
BY_LETTER = {"D": "thingsboard", "V": "hawkbit"}
"""Rows for devices are known by their letter."""
DEVICES_OF = {
    "hawkbit": (hawkbit_rows.DEVICE_ROWS, hawkbit_rows.severity_of),
    "thingsboard": (thingsboard_rows.DEVICE_ROWS, thingsboard_rows.severity_of),
    "hono": (hono_rows.DEVICE_ROWS, hono_rows.severity_of),
    "kura": (kura_rows.DEVICE_ROWS, kura_rows.severity_of),
}
WITHOUT_SCENARIO = {"kura": kura_rows.WITHOUT_SCENARIO}
ALSO_JUDGED_IN = {"kura": ("kura",)}
"""Rows that only our own gateway can be brought to."""
NO_ROWS = {
    "tests/harness/conformance": "rows of a platform that there is not",
    "tests/test_contracts.py": "examples",
}


def sources() -> Iterator[tuple[str, str]]:
    """(path, text) of what is written by hand."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(("docs/contracts/", *OF_STANDARDS)) or "__pycache__" in name:
                continue
            if path.suffix in SUFFIXES:
                yield name, path.read_text(encoding="utf-8")


def platform_of(name: str) -> str:
    """Whose contract a file cites: what its path names, else hawkBit's."""
    return next((platform for platform in PAGES if platform in name), "hawkbit")


def whose(name: str, platform: str, number: str) -> str:
    """Whose row is cited: of whom it is said, whose letter it has, or whose file it is."""
    if platform in PAGES:
        return platform
    of_file = platform_of(name)
    return of_file if of_file == "hono" else BY_LETTER.get(number[0]) or of_file


@pytest.mark.parametrize("platform", PAGES)
def test_a_contract_page_is_made_from_its_rows(platform: str) -> None:
    assert path_of(platform).read_text(encoding="utf-8") == PAGES[platform](), "make contracts writes it anew"


def test_every_cited_clause_can_be_read() -> None:
    known = {platform: clauses_of(page()) for platform, page in PAGES.items()}
    unknown = [
        f"{name}: {clause}"
        for name, text in sources()
        if name != "tests/test_contracts.py"
        for clause in CLAUSE.findall(ELSEWHERE.sub("", text))
        if clause not in known[platform_of(name)]
    ]
    assert unknown == []


@pytest.mark.slow
def test_every_cited_row_can_be_read() -> None:
    known = {platform: rows_of(page()) for platform, page in PAGES.items()}
    unknown = [
        f"{name}: {number}"
        for name, text in sources()
        if not name.startswith(tuple(NO_ROWS))
        for platform, number in {*CITED.findall(text), *WITH_PLATFORM.findall(text)}
        if (platform in PAGES or ROW.fullmatch(number)) and number not in known[whose(name, platform, number)]
    ]
    assert unknown == []


@pytest.mark.parametrize("platform", PAGES)
def test_every_clause_of_a_page_has_something_to_say(platform: str) -> None:
    page = PAGES[platform]()
    gists = re.split(r"(?m)^### §.*$", page[page.index("## Clauses") :])[1:]
    assert len(gists) == len(clauses_of(page))
    assert all(len(gist.split()) >= 8 for gist in gists)


@pytest.mark.parametrize("platform", DEVICES_OF)
def test_each_row_for_devices_is_judged_by_a_scenario_and_weighs_what_that_says(platform: str) -> None:
    rows, severity_of = DEVICES_OF[platform]
    explained = WITHOUT_SCENARIO.get(platform, {})
    folders = (f"external/{platform}", *ALSO_JUDGED_IN.get(platform, ()))
    paths = [path for folder in folders for path in (ROOT / "scenarios" / folder).glob("*.yaml")]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    of_devices = re.compile(rf"(?<![.+\w])[{''.join({number[0] for number in rows})}]\d{{2,3}}\b(?! = )")
    cited = {number for text in texts for number in of_devices.findall(text)}
    warned = {number for text in texts if "severity: warning" in text for number in of_devices.findall(text)}
    assert cited == rows.keys() - explained.keys()
    assert {number for number in rows if severity_of(number) is Severity.WARNING} == warned
