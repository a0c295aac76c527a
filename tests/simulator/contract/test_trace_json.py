"""Trace lines: nothing is lost on the way there and back, and no secret gets into one."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import LATEST_ENVELOPES, TraceLines, from_line, to_line

EVERYTHING = bytes(range(256))


@pytest.mark.parametrize(
    "event",
    [
        TraceEvent(0, 0, "", Lane.BENCH, "note"),
        TraceEvent(
            1, 2, "dev ü", Lane.DEVICE, "received", None, "online", "latency", 'a "reason"\n', "hawkbit#S1", "poll", 12
        ),
        TraceEvent(1, 2, "d", Lane.SERVER, "received", HttpRequest("GET", "http://h", "/?a=\udcff")),
        TraceEvent(
            1, 2, "", Lane.SERVER, "received", HttpRequest("PUT", "https://h", "/", (("A", "ä"), ("A", "b")), b"{}")
        ),
        TraceEvent(1, 2, "", Lane.SERVER, "answered", HttpResponse(200, (("A", "b"),), EVERYTHING)),
        TraceEvent(1, 2, "", Lane.SERVER, "answered", HttpResponse(200, (), "Grüße\0".encode())),
        TraceEvent(1, 2, "", Lane.SERVER, "answered", HttpResponse(206, (), (b"--a", EVERYTHING, b"--a--"))),
        TraceEvent(1, 2, "", Lane.SERVER, "answered", HttpResponse(206, (), FileSlice("", 0, 1_000_000))),
    ],
)
def test_there_and_back(event: TraceEvent) -> None:
    line = to_line(event, Secrets())
    assert line.isascii()
    assert "\n" not in line
    assert from_line(line) == event
    assert type(from_line(line).lane) is Lane


def test_a_file_is_only_told_by_its_length(tmp_path: Path) -> None:
    body = (b"head", FileSlice(str(tmp_path / "image.bin"), 7, 99))
    line = to_line(TraceEvent(1, 1, "", Lane.SERVER, "answered", HttpResponse(200, (), body)), Secrets())
    envelope = from_line(line).envelope
    assert isinstance(envelope, HttpResponse)
    assert envelope.body == (b"head", FileSlice("", 0, 99))
    assert str(tmp_path) not in line


def test_what_is_empty_is_left_out() -> None:
    line = to_line(TraceEvent(5, 1, "", Lane.SERVER, "answered", HttpResponse(204)), Secrets())
    assert json.loads(line) == {
        "at_us": 5, "seq": 1, "lane": "server", "kind": "answered", "envelope": {"response": {"status": 204}}
    }  # fmt: skip


def test_secrets_are_masked_wherever_they_stand() -> None:
    token = "0123456789abcdef"
    secrets = Secrets()
    secrets.learn("target-token", token)
    request = HttpRequest(
        "PUT", "http://h", f"/x?token={token}", (("Authorization", f"TargetToken {token}"),),
        json.dumps({"securityToken": token}).encode(),
    )  # fmt: skip
    binary = HttpResponse(200, (), b"\xbf\x6dsecurityToken\x70" + token.encode() + b"\xff")
    for event in (
        TraceEvent(1, 1, "", Lane.SERVER, "received", request, reason=f"token {token} differs", name=token),
        TraceEvent(1, 1, "", Lane.SERVER, "answered", binary),
    ):
        line = to_line(event, secrets)
        assert token not in line
        envelope = from_line(line).envelope
        assert isinstance(envelope, HttpRequest | HttpResponse)
        assert isinstance(envelope.body, bytes)
        assert b"target-token:" in envelope.body
        assert token.encode() not in envelope.body
        assert base64.b64encode(token.encode())[:16] not in line.encode()


GOOD = {"at_us": 1, "seq": 1, "lane": "server", "kind": "x"}
REQUEST = {"method": "GET", "origin": "http://h", "target": "/"}
WRONG: list[dict[str, Any]] = [
    {"at_us": "1"}, {"at_us": 1.5}, {"at_us": True}, {"at_us": -1}, {"at_us": 2**62},
    {"at_us": 10**30}, {"seq": None}, {"took_us": []},
    {"session": "7"}, {"kind": 5}, {"device": ["a"]}, {"name": {"a": 1}}, {"stage": 1}, {"reason": None},
    {"envelope": "x"}, {"envelope": 5}, {"envelope": {}}, {"envelope": {"request": 5}}, {"envelope": {"request": []}},
    {"envelope": {"request": {**REQUEST, "method": 5}}}, {"envelope": {"request": {**REQUEST, "headers": [["a", 1]]}}},
    {"envelope": {"request": {**REQUEST, "headers": 5}}}, {"envelope": {"request": {**REQUEST, "body": 5}}},
    {"envelope": {"response": {"status": "200"}}},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_a_line_from_elsewhere_with_a_value_of_another_form(change: dict[str, Any]) -> None:
    from_line(json.dumps({**GOOD, "envelope": {"request": REQUEST}}))
    with pytest.raises(ValueError, match="no line of a trace"):
        from_line(json.dumps({**GOOD, **change}))


@pytest.mark.parametrize(
    "line", ["[" * 100_000, "", "{", "[]", "{}", '{"at_us": 1, "seq": 1, "lane": "lounge", "kind": "x"}', "7"]
)
def test_what_is_no_line_of_a_trace(line: str) -> None:
    with pytest.raises(ValueError, match="no line of a trace"):
        from_line(line)


def test_an_envelope_that_two_events_tell_of_is_written_alike() -> None:
    secrets = Secrets()
    lines = TraceLines(secrets)
    requests = [HttpRequest("GET", "http://h", f"/{number}") for number in range(LATEST_ENVELOPES + 2)]
    for request in (*requests, *requests, requests[-1]):
        event = TraceEvent(1, 1, "d", Lane.DEVICE, "sent", request)
        assert lines.line(event) == to_line(event, secrets)


def test_a_secret_that_came_up_between_two_events_is_hidden_in_the_second() -> None:
    secrets = Secrets()
    lines = TraceLines(secrets)
    event = TraceEvent(1, 1, "d", Lane.DEVICE, "sent", HttpRequest("GET", "http://h", "/late-secret"))
    assert "late-secret" in lines.line(event)
    secrets.learn("word", "late-secret")
    assert "late-secret" not in lines.line(event)


def test_a_secret_is_hidden_wherever_it_stands_in_an_envelope() -> None:
    secrets = Secrets()
    secrets.learn("word", "late-secret")
    request = HttpRequest("late-secret", "http://h", "/", (("late-secret", "x"),))
    assert "late-secret" not in TraceLines(secrets).line(TraceEvent(1, 1, "d", Lane.DEVICE, "sent", request))


def test_equal_envelopes_are_written_once_and_alike_until_another_secret_is_learnt() -> None:
    secrets = Secrets()
    lines = TraceLines(secrets)

    def told(body: bytes) -> str:
        response = HttpResponse(200, (("A", "b"),), body)
        return lines.line(TraceEvent(1, 1, "d", Lane.SERVER, "answered", response))

    assert told(b"opaque-text") == told(b"opaque-text")
    assert told(b"opaque-text") != told(b"opaque-texT")
    secrets.learn("word", "opaque-text")
    assert "opaque-text" not in told(b"opaque-text")
    assert told(b"x" * 100_000) == told(b"x" * 100_000)
