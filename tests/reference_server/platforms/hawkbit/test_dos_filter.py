"""The DoS filter's arithmetic (§3.5, S60, S61)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import DosFilter, Settings
from tests.reference_server.platforms.hawkbit.rig import Rig, status

PUBLIC = {"X-Forwarded-For": "203.0.113.9"}
PATH = "/DEFAULT/controller/v1/dev"


def passed(rig: Rig, method: str, path: str = PATH, headers: dict[str, str] = PUBLIC) -> int:
    """How many requests pass before the first 429."""
    count = 0
    while status(rig.send(method, path, headers)) != 429:
        count += 1
        assert count < 1000, "the filter never bites"
    return count


@pytest.mark.parametrize(("method", "expected"), [("GET", 202), ("PUT", 52), ("HEAD", 52)])
def test_two_more_than_the_limit_pass(rig: Rig, method: str, expected: int) -> None:
    assert passed(rig, method) == expected


def test_management_and_devices_are_counted_apart(rig: Rig) -> None:
    for _ in range(100):
        rig.send("GET", PATH, PUBLIC)
    assert passed(rig, "GET", "/rest/v1/targets") == 202


def test_the_refusal_is_bare_and_comes_before_authentication(rig: Rig) -> None:
    passed(rig, "GET")
    answer = rig.send("GET", PATH, PUBLIC)
    assert answer.response.headers == ()
    assert answer.response.body == b""
    assert "DoS filter" in answer.reason


def test_reads_and_writes_and_addresses_are_counted_apart(rig: Rig) -> None:
    passed(rig, "GET")
    assert status(rig.send("PUT", PATH, PUBLIC)) == 401
    assert status(rig.send("GET", PATH, {"X-Forwarded-For": "203.0.113.10"})) == 401


def test_the_window_begins_with_its_first_request_and_lasts_a_second(rig: Rig) -> None:
    rig.send("GET", PATH, PUBLIC)
    rig.let_pass(0.9)
    assert passed(rig, "GET") == 201
    rig.let_pass(0.099)
    assert status(rig.send("GET", PATH, PUBLIC)) == 429
    rig.let_pass(0.001)
    assert passed(rig, "GET") == 202


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.7", "169.254.1.1", "172.16.0.1", "172.31.9.9"])
def test_private_addresses_are_never_counted(rig: Rig, address: str) -> None:
    for _ in range(250):
        assert status(rig.send("GET", PATH, {"X-Forwarded-For": address})) == 401


@pytest.mark.parametrize("address", ["172.32.0.1", "11.0.0.1", "193.168.0.1"])
def test_neighbours_of_private_addresses_are(rig: Rig, address: str) -> None:
    assert passed(rig, "GET", headers={"X-Forwarded-For": address}) == 202


def test_black_listed_addresses_get_403() -> None:
    rig = Rig(Settings(blacklist=r"203\.0\.113\."))
    answer = rig.send("GET", PATH, PUBLIC)
    assert (status(answer), answer.response.body, answer.response.headers) == (403, b"", ())
    assert "black-listed" in answer.reason
    assert status(rig.send("GET", PATH, {"X-Forwarded-For": "198.51.100.1"})) == 401


def test_limits_and_header_are_settings() -> None:
    rig = Rig(Settings(dos=DosFilter(max_read=3), remote_ip_header="X-Real-Ip"))
    assert passed(rig, "GET", headers={"X-Real-Ip": "203.0.113.9"}) == 5
    off = Rig(Settings(dos=DosFilter(enabled=False, max_read=3)))
    for _ in range(20):
        assert status(off.send("GET", PATH, PUBLIC)) == 401
