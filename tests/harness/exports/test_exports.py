"""Every format is read by somebody else, counts what the trace holds, and tells no secret."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fleetrig.harness.exports.formats import FORMATS
from fleetrig.harness.exports.markdown import escaped
from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.page import report_page
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.envelope import payload_of
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPublish
from tests.harness.command import PROJECT, fleetrig
from tests.harness.exports.stored import Stored, stored_run
from tests.peers.programs import need_program

RUNS = {"hawkbit": "hawkbit/auto_registration", "thingsboard": "thingsboard/first_contact", "kura": "kura/clones",
        "hono": "hono/psk", "failed": ""}  # fmt: skip
CTRF_SCHEMA = PROJECT / "build/npm/node_modules/ctrf/dist/ctrf-schema-0.0.json"
IDS = ("traceId", "spanId", "parentSpanId")


@pytest.fixture(scope="module", params=RUNS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    return stored_run(tmp_path_factory.mktemp("run"), RUNS[request.param])


def test_no_format_tells_a_secret(stored: Stored) -> None:
    assert stored.secrets
    for name in FORMATS:
        content = stored.bytes_of(name)
        for secret in stored.secrets:
            assert secret.encode() not in content, name
            assert base64.b64encode(secret.encode()) not in content, name


def test_the_page_tells_none_either(stored: Stored) -> None:
    assert stored.trace.report is not None
    page = report_page(report_document([stored.trace.report], datetime(2026, 1, 1, tzinfo=UTC)))
    assert '"events"' in page
    assert [secret for secret in stored.secrets if secret in page] == []


def test_the_same_trace_gives_the_same_bytes(stored: Stored) -> None:
    for name in FORMATS:
        assert stored.bytes_of(name) == stored.bytes_of(name)


def test_tshark_reads_every_message(stored: Stored, tmp_path: Path) -> None:
    (tmp_path / "t.pcapng").write_bytes(stored.bytes_of("pcapng"))
    wanted = ("frame.interface_name", "frame.comment", "http.request.method", "http.response.code", "mqtt.topic",
              "_ws.malformed", "ip.src", "ip.dst")  # fmt: skip
    rows = _tshark(tmp_path / "t.pcapng", *wanted)
    sent = [seen for seen in stored.events if seen.event.envelope is not None]
    assert len(rows) == len(sent)
    seen_devices = set()
    for row, seen in zip(rows, sent, strict=True):
        event, envelope = seen.event, seen.event.envelope
        assert row["frame.interface_name"] == str(event.lane)
        told = row["frame.comment"].split("; ")
        assert told[0] == f"{event.lane}:{event.seq} {event.kind}"
        assert not row["_ws.malformed"], (row, envelope)
        seen_devices |= {seen.device} & set(told)
        match envelope:
            case HttpRequest(method=method):
                assert row["http.request.method"] == method
            case HttpResponse(status=status):
                assert row["http.response.code"] == str(status)
            case MqttPublish(topic=topic):
                assert row["mqtt.topic"].split(",")[0] == topic
            case _:
                pass
    assert seen_devices == {seen.device for seen in sent if seen.device}


def _tshark(path: Path, *fields: str) -> list[dict[str, str]]:
    program = need_program("tshark", "tshark")
    words = [program, "-r", str(path), "-T", "fields", *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def test_bodies_arrive_in_the_capture(stored: Stored) -> None:
    content = stored.bytes_of("pcapng")
    bodies = [payload_of(seen.event.envelope) for seen in stored.events if seen.event.envelope is not None]
    held = [body for body in bodies if isinstance(body, bytes) and body]
    assert held
    assert all(body in content for body in held)


def test_the_timeline_follows_the_rules_of_its_format(stored: Stored) -> None:
    events: list[dict[str, Any]] = json.loads(stored.bytes_of("chrome"))["traceEvents"]
    by_phase = {phase: [one for one in events if one["ph"] == phase] for phase in "XMCstf"}
    assert sum(map(len, by_phase.values())) == len(events)
    slices = by_phase["X"]
    assert len(slices) == len(stored.events)
    places = {(one["pid"], one["tid"], one["ts"]) for one in slices}
    arrows = [one for phase in "stf" for one in by_phase[phase]]
    assert {(one["pid"], one["tid"], one["ts"]) for one in arrows} <= places
    begun = Counter(one["id"] for one in by_phase["s"])
    assert set(begun.values()) == {1}
    assert {one["id"] for one in arrows} == set(begun)
    assert all(one["bp"] == "e" for one in by_phase["f"])
    names = [one["args"]["name"] for one in by_phase["M"] if one["name"] == "process_name"]
    assert {name.partition(" (")[0] for name in names} - {"bench and server"} == stored.devices
    assert len(names) == len(set(names))
    named = {(one["pid"], one["tid"]) for one in by_phase["M"] if one["name"] == "thread_name"}
    assert {(one["pid"], one["tid"]) for one in slices} <= named
    online = [one["args"]["online"] for one in by_phase["C"] if one["name"] == "online"]
    assert 0 < max(online) <= len(stored.devices)


def test_a_device_s_message_leads_to_the_server(stored: Stored) -> None:
    events = json.loads(stored.bytes_of("chrome"))["traceEvents"]
    passing = {one["id"] for one in events if one["ph"] == "t"}
    assert passing
    assert passing <= {one["id"] for one in events if one["ph"] == "s"}


def test_opentelemetry_reads_every_line(stored: Stored) -> None:
    logs: list[Any] = []
    spans: list[Any] = []
    for line in stored.bytes_of("otlp").decode().splitlines():
        document = _with_base64_ids(json.loads(line))
        if "resourceLogs" in document:
            read = json_format.ParseDict(document, ExportLogsServiceRequest())
            logs += [one for part in read.resource_logs for scope in part.scope_logs for one in scope.log_records]
        else:
            got = json_format.ParseDict(document, ExportTraceServiceRequest())
            spans += [one for part in got.resource_spans for scope in part.scope_spans for one in scope.spans]
    assert len(logs) == len(stored.events)
    answers = sum(seen.question is not None and seen.question.seq != seen.event.seq for seen in stored.events)
    phases = sum(seen.event.lane == "bench" and seen.event.kind == "verdict" for seen in stored.events)
    assert len(spans) == answers + phases + 1
    ids = {one.span_id for one in spans}
    assert len(ids) == len(spans)
    assert {one.span_id for one in logs} <= ids
    assert {one.parent_span_id for one in spans} - {b""} <= ids
    assert {len(one.trace_id) for one in (*logs, *spans)} == {16}
    assert all(one.start_time_unix_nano <= one.end_time_unix_nano for one in spans)
    devices = {said.value.string_value for one in logs for said in one.attributes if said.key == "fleetrig.device"}
    assert devices == stored.devices


def _with_base64_ids(document: Any) -> Any:
    """OTLP/JSON has these in hexadecimal, where protobuf's own JSON has base64."""
    match document:
        case dict():
            return {
                key: base64.b64encode(bytes.fromhex(value)).decode() if key in IDS else _with_base64_ids(value)
                for key, value in document.items()
            }
        case list():
            return [_with_base64_ids(one) for one in document]
        case _:
            return document


def test_ctrf_fits_its_schema(stored: Stored) -> None:
    if not CTRF_SCHEMA.exists():
        need_program("ctrf's schema", "npm, then make build/npm/.installed")
    document = json.loads(stored.bytes_of("ctrf"))
    jsonschema.validate(document, json.loads(CTRF_SCHEMA.read_text(encoding="utf-8")))
    report = stored.trace.report
    assert report is not None
    [test] = document["results"]["tests"]
    checks = [check for phase in report.phases for check in phase.checks]
    assert len(test["extra"]["findings"]) == sum(check.finding is not None for check in checks)
    assert len(test["extra"]["measured"]) == sum(bool(check.measured) for check in checks)
    assert document["results"]["summary"]["failed"] == (report.verdict is Verdict.FAILED)


def test_mermaid_shows_the_last_30_events(stored: Stored) -> None:
    lines = stored.bytes_of("mermaid").decode().splitlines()
    drawn = [line for line in lines[1:] if "participant " not in line]
    assert lines[0] == "sequenceDiagram"
    assert len(drawn) == 1 + min(30, len(stored.events))
    assert not any(set(line.partition(": ")[2]) & set('<>{}%:"') for line in drawn)


def test_markdown_tells_every_finding(stored: Stored) -> None:
    report, text = stored.trace.report, stored.bytes_of("markdown").decode()
    assert report is not None
    findings = [check for phase in report.phases for check in phase.checks if check.finding is not None]
    assert text.count("- expected: ") == len(findings)
    assert f"1 {report.verdict}" in text
    assert ("fleetrig trace " in text) == bool(findings)


def test_text_stands_for_itself_in_markdown() -> None:
    assert escaped("<b>|@all\n[x](y)`") == r"&lt;b&gt;\|&#64;all \[x\]\(y\)\`"


def test_the_command_writes_them_all(tmp_path: Path) -> None:
    stored = stored_run(tmp_path, "")
    trace = stored.trace.path.name
    words = [word for name in FORMATS for word in ("--to", f"{name}=x.{name}")]
    done = fleetrig("report", trace, *words, cwd=tmp_path)
    assert done.returncode == 1
    for name in FORMATS:
        assert (tmp_path / f"x.{name}").stat().st_size
        assert f"x.{name}" in done.stdout
    assert (tmp_path / "x.pcapng").read_bytes() == stored.bytes_of("pcapng")


def test_events_need_no_whole_run(tmp_path: Path) -> None:
    lines = stored_run(tmp_path, "").trace.path.read_text(encoding="utf-8").splitlines()
    (tmp_path / "cut.jsonl").write_text("\n".join([*lines[1:20], "{damaged"]) + "\n", encoding="utf-8")
    done = fleetrig("report", "cut.jsonl", "--to", "chrome=c.json", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0][:11]) == (0, "not judged:")
    slices = [one for one in json.loads((tmp_path / "c.json").read_bytes())["traceEvents"] if one["ph"] == "X"]
    assert len(slices) == 19
    assert fleetrig("report", "cut.jsonl", "--to", "ctrf=c.json", cwd=tmp_path).returncode == 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("pcap=x", "did you mean pcapng?"),
        ("chrome", "expected FORMAT=FILE"),
        ("chrome=-", "stdout is for the verdict"),
        ("chrome=nowhere/x", "nowhere is not there"),
        ("chrome=t.jsonl", "would replace the trace"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(given: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("{}\n", encoding="utf-8")
    done = fleetrig("report", "t.jsonl", "--to", given, cwd=tmp_path)
    assert done.returncode == 4
    assert said in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["t.jsonl"]


def test_a_step_s_summary_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, summary = stored_run(tmp_path, "").trace.path, tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    fleetrig("report", trace.name, "--to", f"markdown={summary}", cwd=tmp_path)
    added = summary.read_text(encoding="utf-8")
    assert added.startswith("before\n## fleetrig: 1 failed")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    fleetrig("report", trace.name, "--to", f"markdown={summary}", cwd=tmp_path)
    assert summary.read_text(encoding="utf-8") == added.removeprefix("before\n")


MERMAID = PROJECT / "build/npm/node_modules/mermaid/dist/mermaid.min.js"
ASK_MERMAID = """<meta charset="utf-8"><script src="{script}"></script><pre id="said"></pre><script>
mermaid.parse({text}).then(found => said.textContent = "it is a " + found.diagramType,
                           wrong => said.textContent = "refused: " + wrong)</script>"""


@pytest.mark.slow
def test_mermaid_itself_reads_it(tmp_path: Path) -> None:
    stored = stored_run(tmp_path, "")
    if not MERMAID.exists():
        need_program("mermaid.min.js", "npm, then make build/npm/.installed")
    text = json.dumps(stored.bytes_of("mermaid").decode())
    page = tmp_path / "page.html"
    page.write_text(ASK_MERMAID.format(script=MERMAID.as_uri(), text=text.replace("<", "\\u003c")), encoding="utf-8")
    words = [need_program("chromium", "chromium"), "--headless=new", "--no-sandbox",
             f"--user-data-dir={tmp_path / 'p'}",
             "--virtual-time-budget=5000", "--dump-dom", page.as_uri()]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert '<pre id="said">it is a sequence</pre>' in done.stdout
