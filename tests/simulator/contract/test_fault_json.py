"""Faults as JSON: there and back, and mistakes that name the field."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.fault_json import FaultMistake, fault_from_json, fault_to_json
from fleetrig.simulator.contract.faults import Fault, FaultKind

EVERYTHING: dict[str, Any] = {
    "fault": "overload", "hits": "POST */feedback", "at": "10s", "for": "60s", "share": 0.5, "times": 3,
    "status": 429, "retry_after": "7s",
}  # fmt: skip


def test_only_the_kind_must_be_given() -> None:
    assert fault_from_json({"fault": "outage"}) == Fault(FaultKind.OUTAGE)
    assert fault_to_json(Fault(FaultKind.OUTAGE)) == {"fault": "outage", "hits": "*", "at": "0s", "share": 1.0}


def test_everything() -> None:
    parameters = {"status": 429, "retry_after_s": 7.0}
    fault = Fault(FaultKind.OVERLOAD, "POST */feedback", 10.0, 60.0, 0.5, 3, None, parameters)
    assert fault_from_json(EVERYTHING) == fault
    assert fault_to_json(fault) == EVERYTHING


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"fault": "lost_reply", "shows_as": "reset"}, Fault(FaultKind.LOST_REPLY, shows_as=Ending.RESET)),
        ({"fault": "latency", "delay": "250ms"}, Fault(FaultKind.LATENCY, parameters={"delay_s": 0.25})),
        ({"fault": "truncated_body", "after": "1KiB"},
         Fault(FaultKind.TRUNCATED_BODY, parameters={"after_bytes": 1024})),
        ({"fault": "dripping", "bytes_per_s": 1.5}, Fault(FaultKind.DRIPPING, parameters={"bytes_per_s": 1.5})),
        ({"fault": "framing", "framed": "chunked"}, Fault(FaultKind.FRAMING, parameters={"framed": "chunked"})),
        ({"fault": "moved", "below": "/b", "status": 307},
         Fault(FaultKind.MOVED, parameters={"below": "/b", "status": 307})),
        ({"fault": "rewrite", "headers": {"ETag": None}, "set": {"a.b": [1]}, "unseen": ["If-Match"]},
         Fault(FaultKind.REWRITE, parameters={"headers": {"ETag": None}, "set_values": {"a.b": [1]},
                                              "unseen": ["If-Match"]})),
        ({"fault": "connect_refused", "hits": "CONNECT gw-*", "code": 5},
         Fault(FaultKind.CONNECT_REFUSED, "CONNECT gw-*", parameters={"code": 5})),
        ({"fault": "connect_unanswered"}, Fault(FaultKind.CONNECT_UNANSWERED)),
        ({"fault": "drop_after_connack", "shows_as": "reset", "delay": "1s"},
         Fault(FaultKind.DROP_AFTER_CONNACK, shows_as=Ending.RESET, parameters={"delay_s": 1.0})),
        ({"fault": "duplicate_delivery", "delay": "1s"},
         Fault(FaultKind.DUPLICATE_DELIVERY, parameters={"delay_s": 1.0})),
        ({"fault": "withheld_ack", "hits": "PUBACK"}, Fault(FaultKind.WITHHELD_ACK, "PUBACK")),
        ({"fault": "withheld_pingresp", "times": 2}, Fault(FaultKind.WITHHELD_PINGRESP, times=2)),
        ({"fault": "half_packet", "hits": "PUBACK", "after": "1B", "shows_as": "reset"},
         Fault(FaultKind.HALF_PACKET, "PUBACK", shows_as=Ending.RESET, parameters={"after_bytes": 1})),
        ({"fault": "malformed_packet"}, Fault(FaultKind.MALFORMED_PACKET)),
        ({"fault": "lost_datagram", "copies": 2}, Fault(FaultKind.LOST_DATAGRAM, parameters={"copies": 2})),
        ({"fault": "coap_reset"}, Fault(FaultKind.COAP_RESET)),
        ({"fault": "server_certificate", "certificate": "long_chain", "hits": "HANDSHAKE mqtts"},
         Fault(FaultKind.SERVER_CERTIFICATE, "HANDSHAKE mqtts", parameters={"certificate": "long_chain"})),
        ({"fault": "rewrite", "body": ""}, Fault(FaultKind.REWRITE, parameters={"body": ""})),
        ({"fault": "rewrite", "respelt": True, "topic": "a/b"},
         Fault(FaultKind.REWRITE, parameters={"respelt": True, "topic": "a/b"})),
        ({"fault": "outage", "share": 1}, Fault(FaultKind.OUTAGE)),
    ],
)  # fmt: skip
def test_there_and_back(document: dict[str, Any], fault: Fault) -> None:
    assert fault_from_json(document) == fault
    assert fault_from_json(fault_to_json(fault)) == fault


@pytest.mark.parametrize(
    ("change", "field", "expected", "near"),
    [
        ({"fault": "outag"}, "fault", "expected one of outage, ", "outage"),
        ({"fault": None}, "fault", "expected one of outage, ", ""),
        ({"fault": ["outage"]}, "fault", "expected one of outage, ", ""),
        ({"hit": "*"}, "hit", "expected one of fault, hits, at", "hits"),
        ({"hits": ""}, "hits", "expected a glob over a line", ""),
        ({"hits": "x" * 1001}, "hits", "expected a glob", ""),
        ({"hits": 1}, "hits", "expected a glob", ""),
        ({"at": 10}, "at", "expected a time with its unit, such as 500ms", ""),
        ({"for": "10"}, "for", "expected a time with its unit", ""),
        ({"for": "-1s"}, "for", "expected a time with its unit", ""),
        ({"for": None}, "for", "expected a time with its unit", ""),
        ({"fault": "server_certificate"}, "certificate", "server_certificate needs", ""),
        ({"fault": "server_certificate", "certificate": "own"}, "certificate", "expected one of expired, ", ""),
        ({"fault": "server_certificate", "certificate": "expird"}, "certificate", "expected one of ", "expired"),
        ({"fault": "lost_datagram", "copies": 6}, "copies", "expected a whole number from 1 to 5", ""),
        ({"fault": "outage", "copies": 1}, "copies", "is a parameter of the fault lost_datagram", ""),
        ({"share": 0}, "share", "expected a number above 0 and up to 1", ""),
        ({"share": 1.1}, "share", "expected a number above 0", ""),
        ({"share": True}, "share", "expected a number above 0", ""),
        ({"share": "0.5"}, "share", "expected a number above 0", ""),
        ({"times": 0}, "times", "expected a whole number of at least 1", ""),
        ({"times": 1.0}, "times", "expected a whole number", ""),
        ({"times": True}, "times", "expected a whole number", ""),
        ({"status": 99}, "status", "expected a final HTTP status, from 200 to 599", ""),
        ({"status": 600}, "status", "expected a final HTTP status", ""),
        (
            {"shows_as": "reset"},
            "shows_as",
            "is a parameter of the fault drop_after_connack or half_packet or lost_reply or outage",
            "",
        ),
        ({"delay": "1s"}, "delay", "is a parameter of the fault drop_after_connack or duplicate_delivery or ", ""),
        ({"fault": "connect_refused", "code": 0}, "code", "expected a return or reason code from 1 to 255", ""),
        ({"fault": "connect_refused", "code": 256}, "code", "expected a return or reason code", ""),
        ({"code": 5}, "code", "is a parameter of the fault connect_refused, not of overload", ""),
        ({"fault": "connect_refuse"}, "fault", "expected one of outage, ", "connect_refused"),
        ({"fault": "dripping", "bytes_per_s": 0}, "bytes_per_s", "expected a number of bytes a second, above 0", ""),
        ({"fault": "moved", "below": "x"}, "below", "expected the beginning of a path", ""),
        ({"fault": "framing", "framed": "length"}, "framed", "expected one of chunked, close, http10", ""),
        ({"fault": "rewrite", "headers": {"ETag": 1}}, "headers", "expected names of headers", ""),
        ({"fault": "rewrite", "headers": []}, "headers", "expected names of headers", ""),
        ({"fault": "rewrite", "unseen": "ETag"}, "unseen", "expected a list of names", ""),
        ({"fault": "outage", "status": 503}, "status", "is a parameter of the fault ", ""),
    ],
)
def test_mistakes(change: dict[str, Any], field: str, expected: str, near: str) -> None:
    with pytest.raises(FaultMistake) as raised:
        fault_from_json({"fault": "overload", **change})
    assert (raised.value.field, raised.value.near) == (field, near)
    assert expected in raised.value.expected


@pytest.mark.parametrize(
    ("document", "field"),
    [({}, "fault"), ({"hits": "*"}, "fault"), ({"fault": "latency"}, "delay"), ({"fault": "moved"}, "below"),
     ({"fault": "rewrite"}, "fault"),
     ({"fault": "outage", "shows_as": "truncated"}, "shows_as"),
     ({"fault": "lost_reply", "shows_as": "rset"}, "shows_as")],
)  # fmt: skip
def test_what_is_missing_or_impossible(document: dict[str, Any], field: str) -> None:
    with pytest.raises(FaultMistake) as raised:
        fault_from_json(document)
    assert raised.value.field == field
