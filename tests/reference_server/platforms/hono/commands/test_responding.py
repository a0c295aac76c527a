"""Which response belongs to a command, and which to none (rules of CommandResponse.fromRequestId)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand, status_in
from fleetrig.reference_server.platforms.hono.commands.responding import CommandAnswer


@pytest.mark.parametrize("status", [200, 202, 299, 400, 404, 599])
def test_a_response_names_its_command(status: int) -> None:
    command = DeviceCommand("acme", "dev", "on", correlation_id="c-1")
    assert CommandAnswer(command.request_id, status, b"", None).correlation_id == "c-1"


@pytest.mark.parametrize("status", [None, -1, 0, 100, 199, 300, 399, 600])
def test_a_status_that_no_response_has(status: int | None) -> None:
    assert CommandAnswer("203c-1", status, b"", None).correlation_id is None


@pytest.mark.parametrize("request_id", [None, "", "2", "20", "2zz", "204c-1", "x03c-1"])
def test_what_is_no_request_id(request_id: str | None) -> None:
    assert CommandAnswer(request_id, 200, b"", None).correlation_id is None


@pytest.mark.parametrize(
    ("text", "status"), [("200", 200), ("+200", 200), ("-1", -1), ("2e2", None), ("", None), (None, None), ("٢", None)]
)
def test_a_status_is_an_integer(text: str | None, status: int | None) -> None:
    assert status_in(text) == status
