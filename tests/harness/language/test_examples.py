"""Every word has an example, cut out of a scenario that runs and passes; and every check fails where it is not so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.language_word import LanguageWord, Topic
from fleetrig.harness.language.model_keys import USED_EVERYWHERE
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.reader import parse
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.scenario_file.words import CHECK_WORDS
from fleetrig.harness.verdict import Verdict
from tests.harness.command import PROJECT
from tests.harness.runs import run_once
from tests.language_examples import (
    FILE,
    Entry,
    entries_by_place,
    examples_text,
    shown_together,
)

NAMES_ALONE = frozenset({Topic.EXCHANGE, Topic.PROGRAM_EXCHANGE, Topic.MOMENT, Topic.STEP})
"""Each of these is used like all others of its kind; `test_exchange_names.py` of each platform holds them against its
flow and its server."""
WITHOUT_EXAMPLE: Mapping[str, str] = {
    "expect.reaches.stage=blank": "a device begins with it, so nobody reaches it",
    "expect.reaches.stage=moving": "gateways pass through it in some moves only",
    "do.line_faults.faults.fault=unplug": "the command that meets it fails; tests/hil/ports has it",
    "server.settings.minPollingTime": "of 0.9",
    "server.settings.multi.assignments.enabled": "of 0.9",
    "server.settings.action.cleanup.enabled": "of 0.9",
    "server.settings.action.cleanup.actionExpiry": "of 0.9",
    "server.settings.action.cleanup.actionStatus": "of 0.9",
    "needs=hawkbit.fast_cleanup": "our own server does not say so",
    "needs=hawkbit.trusted_ips": "our own server does not say so",
    "devices.provisioning.broker_url": "each run has an address of its own",
    "devices.provisioning.account": "each run has a name of its own",
    "devices.provisioning.user_name": "MAC and serial are what a request is made for",
}
"""Places of words, and why nothing that runs could show them."""
SHARED_KEYS = (f".{USED_EVERYWHERE}", ".board")
"""Explained once: they are keys of many words."""

POLLING = """
    scenario: It works
    devices: {flow: hawkbit, count: 4, serial: "HB-{n}", timeout: 20s, backoff: {policy: fixed, base: 1s}}
    server: {settings: {pollingTime: "00:00:05"}}
"""
BODY = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 20s
        expect: [{reaches: {stage: online}}]
      - name: it is not so
        faults: [%s]
        for: 30s
        expect: [%s]
"""
OUTAGE = "{fault: outage, for: 20s}"
SLOW = "{fault: latency, delay: 1s}"
NOT_SO: Mapping[str, tuple[str, str]] = {
    "sends": ("sends: {name: download}", ""),
    "receives": ("receives: {name: poll, status: 500}", ""),
    "no_reply": ("no_reply: {name: poll}", ""),
    "reaches": ("reaches: {stage: updating}", ""),
    "order": ("order: [{sends: {name: poll}}, {sends: {name: download}}]", ""),
    "never": ("never: {sends: {name: poll}}", ""),
    "registry": ("registry: {in_state: in_sync}", ""),
    "gap": ("gap: {between: poll, at_most: 4s}", ""),
    "rate": ("rate: {of: poll, at_most: 1, per: 5s}", ""),
    "answered_within": ("answered_within: {of: poll, p99: 500ms}", SLOW),
    "errors": ("errors: {at_most: 1%}", OUTAGE),
    "dropped": ("dropped: {of: poll, at_most: 0}", "{fault: latency, delay: 8s}"),
    "time_to_online": ("time_to_online: {at_most: 1ms}", OUTAGE),
    "attempts": ("attempts: {of: poll, at_most: 2}", OUTAGE),
    "spread": ("spread: {of: poll, peak_at_most: 1.1}", ""),
    "backs_off": ("backs_off: {of: poll}", OUTAGE),
    "jitter": ("jitter: {of: poll, at_least: 0.5}", OUTAGE),
    "refused": ("refused", ""),
    "steps": ("steps: {in_order: [looked_up]}", ""),
    "fault": ("fault: {kind: outage}", '{fault: outage, hits: "PUT */nothing"}'),
}
"""Check -> one that is not so of four devices that poll, and what goes wrong meanwhile."""
ELSEWHERE = {
    "record": "tests/harness/checks/test_nothing_happens.py",
    "keeps_running": "tests/harness/checks/test_nothing_happens.py",
    "keeps_secrets": "tests/harness/external/test_programs.py",
    "one_address": "tests/harness/external/test_programs.py",
    "follows_model": "tests/harness/test_follows_model.py",
    "prints": "tests/harness/checks/test_board_folds.py",
    "unit": "tests/harness/bench/test_board_runs.py",
}
"""Checks that need more than a fleet in virtual time, and where they fail."""


@pytest.fixture(scope="module")
def found() -> Mapping[tuple[str, str], list[Entry]]:
    return entries_by_place()


def is_to_be_shown(word: LanguageWord, place: str) -> bool:
    return word.topic not in NAMES_ALONE and not place.endswith(SHARED_KEYS) and place not in WITHOUT_EXAMPLE


@pytest.mark.slow
def test_every_word_and_every_key_has_an_example(found: Mapping[tuple[str, str], list[Entry]]) -> None:
    missing = []
    for word in words_of_language():
        shown = frozenset[str]().union(*(entry.places for entry in shown_together(word, found)))
        missing += [f"{word.platform} {place}" for place in word.places()
                    if is_to_be_shown(word, place) and place not in shown]  # fmt: skip
    assert missing == [], "let a scenario say it, below scenarios/words if none else does"


@pytest.mark.slow
def test_no_word_is_excused_that_has_an_example(found: Mapping[tuple[str, str], list[Entry]]) -> None:
    assert [place for place in WITHOUT_EXAMPLE if found.get(("", place))] == []


@pytest.mark.slow
def test_the_examples_are_cut_out_of_the_scenarios() -> None:
    assert FILE.read_text(encoding="utf-8") == examples_text(), "make contracts writes it anew"


@pytest.mark.slow
def test_only_words_of_other_profiles_are_shown_by_what_is_skipped(
    found: Mapping[tuple[str, str], list[Entry]],
) -> None:
    skipped = {
        (word.topic, word.name)
        for word in words_of_language()
        for entry in shown_together(word, found)
        if entry.is_skipped and word.topic is not Topic.NEED
    }
    assert skipped == set()


@pytest.mark.slow
def test_what_is_shown_is_yaml(found: Mapping[tuple[str, str], list[Entry]]) -> None:
    shown = {lines for word in words_of_language() for lines in (one.lines for one in shown_together(word, found))}
    assert all(parse("\n".join(lines).encode(), Path("x.yaml")).tree for lines in shown)


@pytest.mark.slow
def test_the_examples_run_and_pass(tmp_path: Path) -> None:
    runs = plan(["words"], PROJECT / "scenarios")
    verdicts = {one.name: asyncio.run(run(one, RunOptions(results=tmp_path))).verdict for one in runs}
    assert set(verdicts.values()) == {Verdict.PASSED}, verdicts
    assert len(verdicts) > 50


@pytest.mark.parametrize("word", NOT_SO)
def test_a_check_fails_where_it_is_not_so(word: str, tmp_path: Path) -> None:
    check, fault = NOT_SO[word]
    report = run_once(tmp_path, BODY % (fault, f"{{{check}}}" if ":" in check else check), head=POLLING)
    assert report.verdict is Verdict.FAILED
    failed = [one for phase in report.phases for one in phase.checks if one.verdict is Verdict.FAILED]
    assert [one.title.split()[0] for one in failed] == [word]


def test_every_check_fails_somewhere() -> None:
    assert NOT_SO.keys() | ELSEWHERE.keys() == CHECK_WORDS.keys()
    for word, path in ELSEWHERE.items():
        text = (PROJECT / path).read_text(encoding="utf-8")
        assert word in text, path
