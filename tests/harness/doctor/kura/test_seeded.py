"""Each misconfiguration is named right by what the server shows, nothing is changed, and the advice works."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.harness.doctor.kura.bench import KuraBench
from tests.harness.doctor.kura.conftest import Doctor
from tests.harness.doctor.kura.seeds import CONNECTION_ROWS, PROVISIONING_ROWS, Seed, SeededGateway

pytestmark = pytest.mark.slow

BY_COMMAND = (
    "user-locked", "user-disabled", "no-connect-permission", "coupling-strict", "reserved-for-another-user",
    "no-device-limit", "device-disabled",
)  # fmt: skip
"""Where the page prints all that is to be done."""
UNASKED = frozenset({"coupling-strict"})
"""Cured by a permit for one login, which is the gateway's."""


def looking(bench: KuraBench, *options: str) -> tuple[str, ...]:
    return "--against", bench.rest, "--broker-url", bench.broker, *options


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_that_is_printed_does_what_is_advised(
    name: str, bench: KuraBench, gateway: SeededGateway, doctor: Doctor
) -> None:
    (seed,) = [seed for found, seed in (*PROVISIONING_ROWS, *CONNECTION_ROWS) if found == name]
    sick = seed(bench, gateway)
    page = doctor(*looking(bench, *sick.options))
    performed(bench, page.one(name)["command"])
    assert doctor(*looking(bench, *sick.options)).names == []


def performed(bench: KuraBench, lines: list[str]) -> None:
    """As a shell would perform it, the token excepted, which the bench has."""
    last = next(number for number, line in enumerate(lines) if line.startswith("curl "))
    words = shlex.split("\n".join(lines[last:]).replace("\\\n", ""))
    method, content = (words[words.index(word) + 1] if word in words else "" for word in ("-X", "-d"))
    assert words[-1].startswith(bench.rest)
    bench.asked(method or "GET", words[-1].removeprefix(bench.rest), json.loads(content) if content else None)


@pytest.mark.parametrize(
    ("name", "seed"), [pytest.param(*row, id=row[0]) for row in (*PROVISIONING_ROWS, *CONNECTION_ROWS)]
)
def test_it_is_named_and_the_advice_works(
    name: str, seed: Seed, bench: KuraBench, gateway: SeededGateway, doctor: Doctor
) -> None:
    sick = seed(bench, gateway)
    before = bench.footprint(gateway.account)

    page = doctor(*looking(bench, *sick.options))
    assert (page.names, page.code) == ([name], 1)
    assert sick.cause in page.one(name)["cause"]
    assert sick.change in page.one(name)["change"]
    assert page.document["asked"] == "nothing as the gateway"
    assert bench.footprint(gateway.account) == before, "the doctor left a trace"

    cured = sick.cure()
    before = bench.footprint(gateway.account)
    page = doctor(*looking(bench, *cured))
    assert (page.names, page.code) == ([], 3), "nobody sees passwords"
    assert bench.footprint(gateway.account) == before

    page = doctor(*looking(bench, *cured, "--connect"))
    if name in UNASKED:
        assert "would use up the permit" in page.text
    else:
        assert (page.names, page.code, page.document["answered"]) == ([], 0, "CONNACK 0")
