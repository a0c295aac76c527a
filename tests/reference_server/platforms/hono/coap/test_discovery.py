"""/.well-known/core, which the adapter's library answers by itself."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hono.coap.discovery import resources
from fleetrig.simulator.contract.coap import CoapRequest

ALL = b"</command_response>,</cr>,</e>,</event>,</t>,</telemetry>"


def asked(query: str = "", **fields: object) -> CoapRequest:
    target = f"/.well-known/core?{query}" if query else "/.well-known/core"
    return CoapRequest("GET", "coaps://h:5684", target, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "links"),
    [
        ("", ALL),
        ("href=/telemetry", b"</telemetry>"),
        ("href=/e*", b"</e>,</event>"),
        ("href=%2Ft", b"</t>"),
        ("href=/nosuch", b""),
        ("href", b""),
        ("rt=x", b""),
    ],
)
def test_links(query: str, links: bytes) -> None:
    answer = resources(asked(query))
    assert (answer.code, answer.payload, answer.options) == ("2.05", links, ((12, b"\x28"),))


def test_another_format_is_not_acceptable() -> None:
    assert resources(asked(options=((17, b"\x32"),))).code == "4.06"
    assert resources(asked(options=((17, b"\x28"),))).code == "2.05"


def test_two_queries_are_one_too_many() -> None:
    assert resources(asked("href=/t&rt=x")).code == "4.02"
