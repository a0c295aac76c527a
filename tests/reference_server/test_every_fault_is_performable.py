"""Whatever fault is accepted answers each request without an exception; a file takes just what JSON takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.reference_server.control.request_checks import check_levels
from fleetrig.reference_server.fault_plan import FaultPlan, describe
from fleetrig.reference_server.fronts.http.framing import framed, framed_head, is_plain
from fleetrig.reference_server.fronts.http.response_head import head_bytes
from fleetrig.reference_server.fronts.http.socket_endings import cut
from fleetrig.reference_server.http_container import PLAIN_CONTAINER
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.fault_json import FaultMistake, fault_from_json, fault_to_json
from fleetrig.simulator.contract.faults import NEEDS, Fault, FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttPingreq, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.contract.trace_json import to_line
from fleetrig.simulator.effects import Ask
from fleetrig.simulator.transports.virtual_http import VirtualHttp
from tests.conversation.talk import Talk

DOCUMENT = {"config": {"polling": {"sleep": "00:05:00"}}, "chunks": [{"part": "os"}], "href": "http://h.test/a"}


class Answering:
    """A platform that answers each request with the same JSON."""

    name = "answering"
    container_rules = PLAIN_CONTAINER

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        return HttpAnswer(HttpResponse(200, (("ETag", '"1"'),), json.dumps(DOCUMENT).encode()), device="d1")

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return [("token", "s3cret-s3cret")]


def perform(fault: Fault) -> None:
    """Two polls in virtual time, the bytes that a socket would get, the trace, and a session."""
    trace, secrets, plan = Trace(), Secrets(), FaultPlan(lambda: 0.0)
    lines: list[str] = []
    trace.listen(lambda event: lines.append(to_line(event, secrets)))
    server = Server(Answering(), MemoryStore(), plan, trace, secrets)
    entry = plan.add(fault, VIRTUAL_EPOCH_US)
    for method, path in (("GET", "/poll"), ("HEAD", "/file"), ("POST", "/feedback")):
        request = HttpRequest(method, "http://h.test", path, (("Host", "h.test"),))
        now_us = max(VIRTUAL_EPOCH_US, entry.from_us)
        outcome, after_us = VirtualHttp(server.exchange).ask(Ask("poll", request, 10.0), Session(), now_us)
        assert outcome is not None
        assert after_us <= 10_000_000
        delivery = server.exchange(request, Session(), now_us)
        if delivery.response is not None:
            head = head_bytes if is_plain(delivery) else None
            written = head(delivery.response, method, ("", ""), now_us) if head else framed_head(
                delivery, delivery.response, method, "", now_us)  # fmt: skip
            assert written.endswith(b"\r\n\r\n")
            list(islice(framed(delivery.response.body, delivery), 1_000))
            cut(delivery)
    json.dumps(fault_to_json(fault))
    talk = Talk()
    talk.plan.add(fault, talk.now_us)
    talk.connect(1)
    talk.subscribe(1)
    talk.say(1, MqttPublish("echo/a", b"x"))
    talk.say(1, MqttPingreq())
    for listener in ("https", "mqtts", "coaps"):
        talk.server.shown_certificate(Session(id=3, listener=listener, tls=True), talk.now_us)
    talk.open(2)
    talk.say(2, CoapRequest("POST", "coap://h.test", "/a", b"x"))
    talk.after(0.5)


ODD_TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=".*?[]!-/az\x00\n\r\ud800é☃", max_size=40),
    st.sampled_from([".".join("a" * 5_000), "." * 5_000, "a" * 200_000, "[z-a]", "*" * 900, "\ud800", "\x00"]),
)
ODD_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([10**400, 10**4_000, 1e308, 5e-324, -1, 0, True, 0.001, 10**9])
)
ODD_UNITS = st.builds(lambda number, unit: f"{number}{unit}", st.sampled_from(["0", "0.000001", "1", "999999999",
    "36000000", "36000001", "999999999999", "-1", "٣"]),
    st.sampled_from(["ms", "s", "m", "h", "B", "KiB", "GiB", ""]))  # fmt: skip
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), ODD_NUMBERS, ODD_TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
PATHS = st.sampled_from(["config", "config.polling.sleep", "config.polling.sleep.x.y", "chunks.0.part", "chunks.7",
                         "chunks.²", "chunks.٣", "href.0", ".", "a..b", "a." * 31 + "a", "a." * 32 + "a"])  # fmt: skip
ODD = st.one_of(ODD_TEXTS, ODD_NUMBERS, ODD_UNITS, JSON_VALUES)
OWN: dict[str, Any] = {
    "hits": st.one_of(st.just("*"), ODD_TEXTS),
    "at": ODD_UNITS,
    "for": ODD_UNITS,
    "share": ODD_NUMBERS,
    "times": ODD_NUMBERS,
    "shows_as": st.sampled_from(["refused", "reset", "silence", "closed", "truncated"]),
    "status": st.integers(90, 610),
    "retry_after": ODD_UNITS,
    "delay": ODD_UNITS,
    "code": st.integers(-1, 300),
    "copies": st.integers(-1, 7),
    "certificate": st.sampled_from(["own", *map(str, ShownCertificate), "Expired", ""]),
    "after": ODD_UNITS,
    "framed": st.sampled_from(["chunked", "close", "http10", "length"]),
    "bytes_per_s": ODD_NUMBERS,
    "below": st.one_of(st.sampled_from(["/a", "/a/..", "/ä", "/a/b.c~d"]), ODD_TEXTS),
    "headers": st.dictionaries(
        st.one_of(st.sampled_from(["ETag", "Content-Length", "Transfer-Encoding", "Date", "Connection"]), ODD_TEXTS),
        st.one_of(st.none(), st.sampled_from(["0", "-1", "9" * 900, "²", "chunked"]), ODD_TEXTS), max_size=3,
    ),
    "set": st.dictionaries(st.one_of(PATHS, ODD_TEXTS), JSON_VALUES, max_size=3),
    "body": st.one_of(st.sampled_from(["", "[" * 900, "{}"]), ODD_TEXTS),
    "unseen": st.lists(ODD_TEXTS, max_size=3),
}  # fmt: skip
"""Of each word, values that are near to right."""


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(FaultKind)))
    words = draw(st.sets(st.sampled_from(sorted(OWN)), max_size=3))
    document: dict[str, Any] = {"fault": str(kind)}
    for word in sorted(words | {"bytes_per_s" for need in [NEEDS.get(kind)] if need == "bytes_per_s"}):
        document[word] = draw(st.one_of(OWN[word], OWN[word], ODD))
    return document


def accepted(document: dict[str, Any]) -> Fault | None:
    with suppress(FaultMistake):
        return fault_from_json(document)
    return None


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None, derandomize=True)
@given(documents())
def test_an_accepted_fault_answers_and_a_file_takes_the_same(document: dict[str, Any]) -> None:
    fault = accepted(document)
    if fault is not None:
        perform(fault)
    if None in document.values():
        return  # in a file that leaves the word away
    try:
        from_file = FaultLine.model_validate(document).to_fault()
    except ValidationError:
        from_file = None
    assert from_file == fault


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(OWN)).flatmap(lambda word: st.tuples(st.just(word), OWN[word])))
def test_each_word_by_itself(given_word: tuple[str, Any]) -> None:
    """With its own kind of fault, so that most of them are accepted or refused for their value."""
    word, value = given_word
    kinds = {"retry_after": "overload", "delay": "latency", "code": "connect_refused", "copies": "lost_datagram",
             "certificate": "server_certificate", "after": "truncated_body",
             "framed": "framing", "bytes_per_s": "dripping", "below": "moved", "headers": "rewrite", "set": "rewrite",
             "body": "rewrite", "unseen": "rewrite", "status": "overload"}  # fmt: skip
    fault = accepted({"fault": kinds.get(word, "outage"), word: value})
    if fault is not None:
        perform(fault)


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"fault": "dripping", "bytes_per_s": 10**400}, "at most 1,000,000,000 bytes a second"),
    ({"fault": "dripping", "bytes_per_s": float("inf")}, "at most 1,000,000,000 bytes a second"),
    ({"fault": "dripping", "bytes_per_s": float("nan")}, "a number of bytes a second"),
    ({"fault": "dripping", "bytes_per_s": 5e-324}, "at least 0.001"),
    ({"fault": "dripping", "bytes_per_s": True}, "a number of bytes a second"),
    ({"fault": "rewrite", "set": {"." * 5_000: 1}}, "expected paths of at most 32 levels"),
    ({"fault": "rewrite", "set": {"a": json.loads("[" * 40 + "]" * 40)}}, "expected values of at most 32 levels"),
    ({"fault": "rewrite", "set": {"a": float("inf")}}, "finite numbers"),
    ({"fault": "rewrite", "set": {"a": list(range(1_001))}}, "expected at most 1,000 values"),
    ({"fault": "rewrite", "set": {"a": "x" * 100_001}}, "at most 100,000 characters"),
    ({"fault": "rewrite", "set": {"a": "\ud800"}}, "without lone surrogates"),
    ({"fault": "rewrite", "body": "\ud800"}, "without lone surrogates"),
    ({"fault": "rewrite", "headers": {"ETag": "a\r\nX: y"}}, "on one line"),
    ({"fault": "rewrite", "headers": {"a b": "c"}}, "expected names of headers"),
    ({"fault": "rewrite", "headers": {f"h{n}": "" for n in range(101)}}, "at most 100 headers"),
    ({"fault": "rewrite", "unseen": ["a\0b"]}, "expected names of headers"),
    ({"fault": "moved", "below": "/a" * 501}, "at most 1,000 characters"),
    ({"fault": "moved", "below": "/a/../b"}, "without . and .."),
    ({"fault": "outage", "at": "999999999h"}, "at most 10000h"),
    ({"fault": "outage", "times": 10**400}, "at most 1,000,000,000"),
    ({"fault": "truncated_body", "after": "999999999999GiB"}, "at most 1024GiB"),
]


@pytest.mark.parametrize(("document", "expected"), HOSTILE)
def test_what_could_not_be_performed_is_refused_with_the_bound(document: dict[str, Any], expected: str) -> None:
    with pytest.raises(FaultMistake) as refused:
        fault_from_json(document)
    assert expected in refused.value.expected
    with pytest.raises(ValidationError, match=r".*" + expected.partition("(")[0]):
        FaultLine.model_validate(document)


def test_the_trace_says_how_long_a_long_value_is() -> None:
    assert describe(Fault(FaultKind.REWRITE, parameters={"body": "x" * 90_000})) == "body (90,000 characters)"


@pytest.mark.parametrize("text", ["[" * 51, '{"a":' * 51, '["\\"[", ' * 51])
def test_nesting_is_counted_before_anything_is_parsed(text: str) -> None:
    with pytest.raises(ValueError, match="nested deeper than 50 levels"):
        check_levels(text)


@pytest.mark.parametrize("text", ["[" * 50 + "]" * 50, '"' + "[" * 99 + '"', "[]" * 99, '"\\' * 30_000])
def test_brackets_in_text_do_not_nest(text: str) -> None:
    check_levels(text)
