"""The page in a real browser, Debian's Chromium: it is accessible, goes by keyboard alone, and finds every event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.page import report_page
from tests.harness.report_page.test_document import failed
from tests.peers.programs import need_program

pytestmark = [pytest.mark.peer, pytest.mark.slow]

AXE = Path(__file__).parents[3] / "build/npm/node_modules/axe-core/axe.min.js"
MANY = 10_000
FIND_EACH = """
const run = REPORT.runs[0];
return arguments[0].filter((seq) => {
  state.text = `${run.lanes[run.events.lane[seq]]}:${seq}`;
  refresh();
  return state.shown.length === 1 && run.events.seq[state.shown[0]] === seq;
});
"""
TURNS = "\u202e"
HOSTILE = "</script><img src=x onerror=document.title='pwned'>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = need_program("chromium", "chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"):
        options.add_argument(word)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(need_program("chromedriver", "chromium-driver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report_document([failed(tmp_path_factory.mktemp("run"))], datetime(2026, 1, 1, tzinfo=UTC))


def opened(browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]) -> webdriver.Chrome:
    path = tmp_path / "page.html"
    path.write_text(report_page(document), encoding="utf-8")
    browser.get(path.as_uri())
    return browser


def serious(browser: webdriver.Chrome) -> list[str]:
    """What axe-core finds that keeps people out."""
    if not AXE.exists():
        pytest.fail("axe-core is missing: make build/npm/.installed")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")
    worst = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in worst]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_nobody_out(browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any], scheme: str) -> None:
    preferred = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preferred]})
    page = opened(browser, tmp_path, document)
    page.find_element(By.CSS_SELECTOR, "#runs button[aria-label], #runs ul button").click()
    assert serious(page) == []
    page.find_element(By.CSS_SELECTOR, "#runs ul button").click()
    assert serious(page) == []


def test_nothing_is_blocked_or_goes_wrong_in_the_browser(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    page = opened(browser, tmp_path, document | {"title": f"{HOSTILE}{TURNS}"})
    assert page.get_log("browser") == []
    assert page.title.startswith(HOSTILE)
    assert page.find_element(By.TAG_NAME, "h1").text == rf"{HOSTILE}\u202e"
    assert page.find_element(By.CLASS_NAME, "big").text == "✗ FAILED"


def test_the_keyboard_alone_goes_from_a_finding_to_its_evidence(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    page = opened(browser, tmp_path, document)
    wanted = document["runs"][0]["phases"][1]["checks"][0]["evidence"][0]
    for _ in range(40):
        page.switch_to.active_element.send_keys(Keys.TAB)
        if page.switch_to.active_element.text == f"{wanted[0]}:{wanted[1]}":
            break
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "list"
    assert page.find_element(By.ID, "details").text.startswith(f"{wanted[0]}:{wanted[1]} ")
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert not page.find_element(By.ID, "details").text.startswith(f"{wanted[0]}:{wanted[1]} ")


def test_a_range_of_time_and_a_search_leave_what_they_say_and_stand_in_the_address(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    page = opened(browser, tmp_path, document)
    run = document["runs"][0]
    from_us = sorted(run["events"]["at"])[len(run["events"]["at"]) // 3]
    page.find_element(By.ID, "from").send_keys(f"{from_us / 1e6:g}{Keys.TAB}")
    within = [at for at in run["events"]["at"] if at >= from_us]
    assert page.find_element(By.ID, "count").text == f"{len(within)} of {len(run['events']['at'])} events"
    assert page.find_element(By.CSS_SELECTOR, "svg.curve").get_dom_attribute("viewBox").split()[0] != "0", "curves too"
    page.find_element(By.ID, "search").send_keys("poll")
    shown = page.find_element(By.ID, "count").text
    assert shown != f"{len(within)} of {len(run['events']['at'])} events"
    address = page.current_url
    page.get("about:blank")
    page.get(address)
    assert page.find_element(By.ID, "count").text == shown
    assert page.find_element(By.ID, "from").get_attribute("value") == f"{from_us / 1e6:g}"


def test_ten_thousand_events_are_all_found_and_few_of_them_are_drawn(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    run = document["runs"][0]
    times = -(-MANY // len(run["events"]["at"]))
    events = {name: (column * times)[:MANY] for name, column in run["events"].items()} | {"seq": list(range(MANY))}
    many = document | {"runs": [run | {"events": events}]}
    assert len(report_page(many)) < 2_000_000
    page = opened(browser, tmp_path, many)
    assert page.find_element(By.ID, "count").text == "10,000 of 10,000 events"
    assert len(page.find_elements(By.CSS_SELECTOR, "[role=option]")) < 100
    looked_for = list(range(0, MANY, 997))
    found = page.execute_script(FIND_EACH, looked_for)
    assert found == looked_for


def test_a_run_that_does_not_show_its_events_has_no_buttons_that_lead_nowhere_and_its_link_opens_it(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    run = document["runs"][0]
    bare = {name: value for name, value in run.items() if name != "events"} | {"verdict": "passed"}
    page = opened(browser, tmp_path, document | {"runs": [run, bare]})
    assert page.find_elements(By.CSS_SELECTOR, "#run-0 ul button") != []
    assert page.find_elements(By.CSS_SELECTOR, "#run-1 ul button") == []
    assert page.find_element(By.ID, "run-1").get_attribute("open") is None
    address = f"{page.current_url.partition('#')[0]}#run-1"
    page.get("about:blank")
    page.get(address)
    assert page.find_element(By.ID, "run-1").get_attribute("open") == "true"


def test_the_head_of_the_list_goes_with_it_on_a_small_screen(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    browser.set_window_size(500, 900)
    try:
        page = opened(browser, tmp_path, document)
        page.execute_script("document.getElementById('list').scrollLeft = 200; drawRows();")
        assert page.execute_script("return document.getElementById('list-head').scrollLeft") == 200
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.set_window_size(1280, 1000)


def test_on_paper_stands_the_evidence_and_which_part_of_the_events_it_is(
    browser: webdriver.Chrome, tmp_path: Path, document: dict[str, Any]
) -> None:
    page = opened(browser, tmp_path, document)
    of = len(document["runs"][0]["events"]["at"])
    page.execute_script("dispatchEvent(new Event('beforeprint'));")
    said = page.find_element(By.ID, "printed").get_attribute("textContent")
    assert said == f"Printed: events 1 to {of} of {of}."
    assert len(page.find_elements(By.CSS_SELECTOR, "[role=option]")) == of
    many = {name: column * 10 for name, column in document["runs"][0]["events"].items()}
    page = opened(browser, tmp_path, document | {"runs": [document["runs"][0] | {"events": many}]})
    page.execute_script("activate(300); dispatchEvent(new Event('beforeprint'));")
    said = page.find_element(By.ID, "printed").get_attribute("textContent")
    assert f"{said}".startswith("Printed: events 271 to 330 of ")
    assert page.find_element(By.CSS_SELECTOR, ".is-active") is not None
    page.execute_script("dispatchEvent(new Event('afterprint'));")
    assert page.find_element(By.ID, "printed").is_displayed() is False
