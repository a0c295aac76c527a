"""Every row of hawkBit's outcome matrix (§3.2): foretold from facts alone, explained once refused."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.harness.doctor.diagnosis import Admission, Weight
from fleetrig.harness.platforms.hawkbit.doctor.facts import Kind, Presented
from tests.harness.doctor.facts_builder import (
    LET_IN,
    REFUSED,
    certificate,
    gateway_token,
    judged,
    names,
    off,
    target_token,
)

TT, GW, CERT = Kind.TARGET_TOKEN, Kind.GATEWAY_TOKEN, Kind.CERTIFICATE
NOTHING = Presented(Kind.NOTHING)

ROWS: list[tuple[str, Presented, dict[str, Any], list[str]]] = [
    ("target token right", target_token(), {}, []),
    ("target token wrong", target_token("x" * 32), {}, ["token-differs"]),
    ("target token, no target", target_token("x" * 32), {"exists": False}, ["unknown-target"]),
    ("target token right, mode off", target_token(), {"modes": off(TT)}, ["mode-off"]),
    ("target token wrong, mode off", target_token("x" * 32), {"modes": off(TT)}, ["mode-off", "token-differs"]),
    ("gateway token right", gateway_token(), {}, []),
    ("gateway token right, no target", gateway_token(), {"exists": False}, []),
    ("gateway token wrong", gateway_token("x" * 32), {}, ["gateway-key-differs"]),
    ("gateway token wrong, no target", gateway_token("x" * 32), {"exists": False}, ["gateway-key-differs"]),
    ("gateway token, mode off", gateway_token(), {"modes": off(GW)}, ["mode-off"]),
    ("gateway token, mode off, no target", gateway_token(), {"modes": off(GW), "exists": False}, ["mode-off"]),
    ("gateway token, key never set", gateway_token(), {"key": ""}, ["gateway-key-empty"]),
    ("certificate right", certificate(), {}, []),
    ("certificate right, no target", certificate(), {"exists": False}, []),
    ("certificate, mode off", certificate(), {"modes": off(CERT)}, ["mode-off"]),
    ("nothing", NOTHING, {}, ["no-credential"]),
    ("nothing, no target", NOTHING, {"exists": False}, ["no-credential"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("presented", "otherwise", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_the_server_would_do(presented: Presented, otherwise: dict[str, Any], expected: list[str]) -> None:
    foretold = judged(presented, **otherwise)

    assert names(foretold) == expected
    assert foretold.outcome is (Admission.REFUSED if expected else Admission.LET_IN)
    assert foretold.headline.startswith("The server would ")


REFUSED_ROWS = [row for row in ROWS if row[3]]


@pytest.mark.parametrize(
    ("presented", "otherwise", "expected"), [row[1:] for row in REFUSED_ROWS], ids=[row[0] for row in REFUSED_ROWS]
)
def test_a_refusal_with_a_cause_is_explained_by_nothing_else(
    presented: Presented, otherwise: dict[str, Any], expected: list[str]
) -> None:
    refused = judged(presented, REFUSED, **otherwise)

    assert names(refused) == expected
    assert {one.weight for one in refused.diagnoses if one.name != "headers"} == {Weight.CAUSE}
    assert refused.exit == 1
    assert refused.answered == "401, an empty body"


@pytest.mark.parametrize("presented", [target_token(), gateway_token(), certificate()], ids=["TT", "GW", "certificate"])
def test_a_device_that_was_let_in(presented: Presented) -> None:
    let_in = judged(presented, LET_IN)

    assert let_in.exit == 0
    assert names(let_in) == []
    assert let_in.answered == (
        "200: poll again in 00:05:00, links: configData (it counts as a poll of gw-17)"
    )  # fmt: skip


@pytest.mark.parametrize("presented", [gateway_token(), certificate(has_key=True)], ids=["GW", "certificate"])
def test_only_gateway_token_and_certificate_register(presented: Presented) -> None:
    foretold = judged(presented, exists=False)
    done = judged(presented, LET_IN, exists=False)

    assert [one.cause for one in foretold.diagnoses if one.name == "registers"] == [
        "Its first poll registers a new target gw-17: the tenant had none."
    ]
    (registered,) = [one for one in done.diagnoses if one.name == "registers"]
    assert registered.cause == "This poll has registered a new target gw-17: the tenant had none."
    assert registered.command[-1] == "  http://hawkbit.test:8080/rest/v1/targets/gw-17"
    assert names(judged(target_token(), exists=True), notes=True) == []
