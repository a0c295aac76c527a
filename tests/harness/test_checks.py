"""Each check word over a fleet that really runs: when it is met, open and violated, and what its finding points to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.checks.evaluators import FleetSnapshot, describe, evaluator_for, is_query, snapshot_of
from fleetrig.harness.scenario_file.words import CHECK_WORDS
from fleetrig.simulator.contract.faults import Fault, FaultKind
from tests.harness.bench_fixture import MET, MODELS, OPEN, VIOLATED, BenchFixture

Prepare = Callable[[BenchFixture], None]


def switched_on(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("power_on")


def strangers(bench: BenchFixture) -> None:
    bench.do("power_on")


def outage(bench: BenchFixture) -> None:
    assert bench.context.server.add_fault is not None
    bench.do("preregister")
    bench.context.server.add_fault(Fault(FaultKind.OUTAGE, for_s=8.0))
    bench.do("power_on")


STREAM = [
    ("sends", {"name": "poll"}, switched_on, 2, MET),
    ("sends", {"name": "poll", "times": {"at_least": 3}}, switched_on, 1.5, OPEN),
    ("sends", {"name": "poll", "times": 1}, switched_on, 5, VIOLATED),
    ("sends", {"name": "poll", "path": "/DEFAULT/controller/v1/HB-?", "method": "GET"}, switched_on, 2, MET),
    ("sends", {"name": "poll", "header": {"authorization": "TargetToken *"}}, switched_on, 2, MET),
    ("sends", {"name": "poll", "header": {"authorization": "GatewayToken *"}}, switched_on, 2, OPEN),
    ("sends", {"name": "configData", "body_has": {"data.hw": "2"}}, switched_on, 4, MET),
    ("sends", {"name": "configData", "body_has": {"data.hw": "3"}}, switched_on, 4, OPEN),
    ("sends", {"name": "poll", "only": "HB-2"}, switched_on, 2, MET),
    ("receives", {"name": "poll", "status": 200, "body_has": {"config.polling.sleep": "*"}}, switched_on, 2, MET),
    ("receives", {"name": "poll", "status": 401}, switched_on, 2, OPEN),
    ("receives", {"name": "poll", "status": 401, "times": 0}, strangers, 2, VIOLATED),
    ("no_reply", {"name": "poll"}, outage, 2, MET),
    ("no_reply", {"name": "poll"}, switched_on, 2, OPEN),
    ("no_reply", {"name": "poll", "times": {"at_most": 1}}, outage, 5, VIOLATED),
    ("reaches", {"stage": "online"}, switched_on, 3, MET),
    ("reaches", {"stage": "online"}, strangers, 3, OPEN),
    ("reaches", {"stage": "refused", "devices": 1}, strangers, 3, MET),
    ("order", [{"sends": {"name": "poll"}}, {"reaches": {"stage": "online"}}], switched_on, 3, MET),
    ("order", [{"reaches": {"stage": "online"}}, {"reaches": {"stage": "enrolling"}}], switched_on, 3, OPEN),
    ("never", {"sends": {"name": "download"}}, switched_on, 3, MET),
    ("never", {"receives": {"status": 401}}, strangers, 3, VIOLATED),
    ("gap", {"at_least": "1s", "at_most": "2s"}, switched_on, 5, MET),
    ("gap", {"at_least": "1s"}, switched_on, 0.5, OPEN),
    ("gap", {"at_least": "2s"}, switched_on, 5, VIOLATED),
    ("rate", {"at_most": 4}, switched_on, 5, MET),
    ("rate", {"at_most": 1}, switched_on, 5, VIOLATED),
    ("answered_within", {"p99": "1s"}, switched_on, 5, MET),
    ("answered_within", {"of": "download", "p99": "1s"}, switched_on, 5, OPEN),
    ("errors", {"of": "poll", "at_most": "1%"}, switched_on, 5, MET),
    ("errors", {"at_most": "1%"}, outage, 5, OPEN),
    ("errors", {"at_most": 2, "stop": True}, outage, 5, VIOLATED),
    ("dropped", {"at_most": 0}, switched_on, 5, MET),
    ("dropped", {"of": "download", "at_most": 0}, switched_on, 5, OPEN),
    ("time_to_online", {"p50": "5s", "p99": "5s"}, switched_on, 5, MET),
    ("time_to_online", {"at_most": "5s"}, outage, 5, OPEN),
    ("time_to_online", {"at_most": "1s", "stop": True}, outage, 5, VIOLATED),
    ("attempts", {"at_least": 2}, outage, 5, MET),
    ("attempts", {"at_least": 2}, switched_on, 5, OPEN),
    ("attempts", {"at_most": 2}, outage, 7, VIOLATED),
    ("spread", {"peak_at_most": 3, "per": "1s"}, switched_on, 10, MET),
    ("spread", {"peak_at_most": 1.1, "per": "700ms"}, switched_on, 5, OPEN),
    ("refused", {"reason_has": "no such target", "times": {"at_least": 2}}, strangers, 3, MET),
    ("refused", {"reason_has": "token differs"}, strangers, 3, OPEN),
    ("refused", {"times": 0}, strangers, 3, VIOLATED),
    ("steps", {"in_order": ["tenant_found"]}, switched_on, 3, OPEN),
    ("fault", {"kind": "outage"}, outage, 3, MET),
    ("fault", {"kind": "latency"}, outage, 3, OPEN),
    ("fault", {"kind": "outage", "times": 1}, outage, 5, VIOLATED),
    ("spread", {"peak_at_most": 1.5, "per": "1s", "over": "10s", "first": True}, switched_on, 8, VIOLATED),
    ("spread", {"peak_at_most": 10, "per": "1s", "over": "10s", "first": True}, switched_on, 8, MET),
    ("backs_off", {}, switched_on, 8, OPEN),
    ("jitter", {}, switched_on, 8, OPEN),
    ("keeps_running", {}, switched_on, 5, MET),
    ("one_address", {}, switched_on, 5, OPEN),
]


@pytest.mark.parametrize(("word", "arguments", "prepare", "for_s", "status"), STREAM)
def test_words_over_the_stream(
    tmp_path: Path, word: str, arguments: Any, prepare: Prepare, for_s: float, status: object
) -> None:
    bench = BenchFixture(tmp_path, attributes={"hw": "2"})
    fold = bench.watch(word, arguments)
    assert fold.status() is not VIOLATED, "nothing has happened yet"

    prepare(bench)
    bench.wait(for_s)

    assert fold.status() is status
    if status is MET:
        return
    finding = fold.finding()
    assert finding.expected == fold.expected
    assert finding.got
    assert bench.holds_evidence(finding)
    if status is VIOLATED:
        assert finding.evidence, "what breaks a rule can be shown"


def test_a_watch_begins_when_it_is_made(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    switched_on(bench)
    bench.wait(5)
    fold = bench.watch("sends", {"name": "configData", "times": 0})
    bench.wait(5)
    assert fold.status() is MET


def test_who_is_there_already_has_reached_it_until_the_power_goes(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    switched_on(bench)
    bench.wait(3)

    assert bench.watch("reaches", {"stage": "online"}).status() is MET
    fold = bench.watch("reaches", {"stage": "online"})
    bench.do("power_cut", only="HB-1")
    assert fold.status() is OPEN
    assert "HB-1" in fold.finding().got
    assert bench.holds_evidence(fold.finding())
    bench.do("power_on", only="HB-1")
    bench.wait(3)
    assert fold.status() is MET


def test_order_concerns_the_devices_that_all_its_steps_are_about(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    steps = [{"sends": {"name": "poll", "only": "HB-1"}}, {"reaches": {"stage": "online"}}]
    fold = bench.watch("order", steps)
    bench.do("preregister")
    bench.do("power_on", only="HB-1")
    bench.wait(3)
    assert fold.status() is MET


def test_prefixes_are_looked_through() -> None:
    fleet = FleetSnapshot("fleetrig-ab12cd-", {"fleetrig-ab12cd-HB-1": "", "fleetrig-ab12cd-HB-2": ""})
    assert fleet.serials("HB-1") == ["fleetrig-ab12cd-HB-1"]
    assert fleet.glob("HB-*") == "fleetrig-ab12cd-HB-*"
    assert fleet.glob("*") == "*"


REGISTRY: list[tuple[dict[str, Any], str, str]] = [
    ({"devices": 2, "in_state": "registered", "created_by": "admin"}, "", ""),
    ({"devices": 3}, "3 records of these devices", "2"),
    ({"in_state": "in_sync"}, "the record of HB-1 has in_state 'in_sync'", "'registered' (HB-2 differ too)"),
    ({"attributes": {"hw": "2"}, "attribute_keys": ["hw"]}, "", ""),
    ({"attributes": {"hw": "3"}, "only": "HB-2"}, "the record of HB-2 has attribute hw = '3'", "'2'"),
    ({"attribute_keys": ["hw", "sw"], "only": "HB-2"}, "exactly the attributes ['hw', 'sw']", "['hw']"),
    ({"name": "{serial}"}, "", ""),
    ({"name": "Gateway {serial}"}, "name 'Gateway HB-1'", "'HB-1'"),
    ({"installed": "1.0"}, "installed '1.0'", "None"),
    ({"assigned": "1.0"}, "assigned '1.0'", "None"),
    ({"action": "finished"}, "action 'finished'", "None"),
    ({"absent": True}, "no place on the server", "it is there, registered"),
    ({"tokens_differ": True}, "", ""),
]


@pytest.mark.parametrize(("arguments", "expected", "got"), REGISTRY, ids=[str(row[0]) for row in REGISTRY])
def test_registry_compares_what_the_server_says(
    tmp_path: Path, arguments: dict[str, Any], expected: str, got: str
) -> None:
    bench = BenchFixture(tmp_path, attributes={"hw": "2"})
    switched_on(bench)
    bench.wait(4)

    finding = bench.ask("registry", **arguments)

    if not expected:
        assert finding is None
    else:
        assert finding is not None
        assert expected in finding.expected
        assert got in finding.got


def test_registry_after_an_update(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    switched_on(bench)
    bench.do("deploy", version="1.0")
    assert bench.ask("registry", in_state="pending", assigned="1.0", action="running") is None
    bench.wait(20)
    assert bench.ask("registry", in_state="in_sync", assigned="1.0", installed="1.0", action="finished") is None


def test_registry_of_records_that_are_not_there(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.do("preregister", only="HB-1")

    assert bench.ask("registry", absent=True, only="HB-2") is None
    finding = bench.ask("registry", in_state="unknown")
    assert finding is not None
    assert (finding.expected, finding.got) == (
        "the record of HB-2 has a place on the server",
        "there is no such record",
    )
    assert bench.ask("registry", devices=1, in_state="unknown") is None


def test_registry_finds_tokens_that_repeat(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.do("preregister")
    for serial in ("HB-1", "HB-2"):
        bench.run(bench.admin.update_target(serial, {"securityToken": "the same"}))
    finding = bench.ask("registry", tokens_differ=True)
    assert finding is not None
    assert finding.got == "1 repeat another one's"


def test_every_check_word_has_an_evaluator(tmp_path: Path) -> None:
    """Those that ask are callable, the others step; a word that is in no table of `evaluators` fails here."""
    bench = BenchFixture(tmp_path)
    given: dict[str, Any] = {word: arguments for word, arguments, *_ in STREAM} | {
        "registry": {"devices": 1},
        "record": {},
        "keeps_secrets": {},
        "follows_model": {},
        "prints": {"line": "x"},
        "unit": {},
    }
    assert CHECK_WORDS.keys() == given.keys()
    for word in CHECK_WORDS:
        words = MODELS.check.model_validate({word: given[word]}).arguments
        assert callable(evaluator_for(bench.context, words)) == is_query(words)
        assert describe(words, snapshot_of(bench.context))
