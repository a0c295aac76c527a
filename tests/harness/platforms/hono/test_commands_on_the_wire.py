"""Applications send commands to simulated devices, over each transport, and get the answers (row D15)."""

from __future__ import annotations

import base64
import itertools
import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hono.admin import PROVISIONS_OTHERS
from fleetrig.harness.platforms.hono.hono_run import hashed
from fleetrig.harness.report.exits import Exit
from tests.harness.command import Running
from tests.peers.hono.serving import Operator, ServedHono, ask
from tests.peers.programs import until

pytestmark = pytest.mark.slow

SECRET = "hono-secret"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHono]:
    with ServedHono(tmp_path_factory.mktemp("hono")) as one:
        yield one


@pytest.fixture
def tenant(served: ServedHono) -> str:
    """With a gateway that may provision others, and its password and key."""
    name, operator = f"line-{next(_numbers)}", Operator(served)
    operator.create_tenant(name)
    key = {"type": "psk", "auth-id": "SIM-1", "secrets": [{"key": base64.b64encode(SECRET.encode()).decode()}]}
    password = {"type": "hashed-password", "auth-id": "SIM-1", "secrets": [dict(hashed(SECRET, "salt"))]}
    operator.create_device(name, "SIM-1", [password, key], authorities=[PROVISIONS_OTHERS])
    return name


@pytest.mark.parametrize(("transport", "credentials"), [("http", "password"), ("mqtt", "password"), ("coaps", "psk")])
def test_commands_are_answered(
    served: ServedHono, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    transport: str, credentials: str,
) -> None:  # fmt: skip
    """To the gateway itself, and to the device behind it."""
    monkeypatch.setenv("SECRET", SECRET)
    options = ["--against", f"{transport}://127.0.0.1:{served.port(transport)}", "--credentials", credentials]
    options += ["--tenant", tenant, "--secret", "env:SECRET", "--ca", str(served.ready["ca"]), "--commands", "3s"]
    fleet = ["--count", "1", "--serial", "SIM-{n}", "--edge", "1", "--interval", "500ms", "--spread", "0s"]
    running = Running("simulate", "hono", *options, *fleet, cwd=tmp_path)
    for device in ("SIM-1", "SIM-1-1"):
        is_answered(served, tenant, device)
    assert running.interrupt() in (Exit.PASSED, Exit.INTERRUPTED), running.said()


def is_answered(served: ServedHono, tenant: str, device: str) -> None:
    taken: list[dict[str, Any]] = []
    until("a device takes commands", lambda: sent(served, tenant, device, taken) or None)
    until("the device answers", lambda: answers(served, tenant, taken[0]) or None)
    (answer,) = answers(served, tenant, taken[0])
    assert (answer["key"], answer["properties"]["status"]) == (device, "200")
    assert json.loads(answer["payload"]) == {"brightness": 87}


def sent(served: ServedHono, tenant: str, device: str, taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Once, as soon as somebody takes it."""
    command = {"tenant": tenant, "device": device, "command": "setBrightness", "payload": {"brightness": 87}}
    try:
        taken.append(ask("POST", f"http://127.0.0.1:{served.port('control')}/northbound/commands", command))
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
    return taken


def answers(served: ServedHono, tenant: str, taken: dict[str, Any]) -> list[Any]:
    found = Operator(served).northbound(tenant)
    return [one for one in found if one["properties"].get("correlation-id") == taken["correlation_id"]]
