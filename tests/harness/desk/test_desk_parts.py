"""The parts of the desk's verbs that need no server: names, files, addresses of files, and what is said at the end."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from fleetrig.harness.desk.deploying import DeviceEnd, DeviceProgress
from fleetrig.harness.desk.deployment import shortened
from fleetrig.harness.desk.following import follow, shown_line, summary_of
from fleetrig.harness.desk.named_devices import named_devices
from fleetrig.harness.desk.published_files import published_files
from fleetrig.harness.desk.registering import registering_of
from fleetrig.harness.desk.update_files import FILE_BYTES, named_update, update_files
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.platforms.hawkbit.deploying import told
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Outcome, Pause

T = TypeVar("T")
KNOWN = ["gateway-1", "gateway-2", "meter-1"]


def answer(value: T) -> AdminCall[T]:
    """A call that asks nobody."""
    yield from ()
    return value


def result_of(call: Generator[Any, Any, T]) -> T:
    """Of a director that asks nobody; pauses pass at once."""
    try:
        while True:
            call.send(None)
    except StopIteration as end:
        found: T = end.value
        return found


def named(*wanted: str, known: Sequence[str] = KNOWN) -> list[str]:
    return result_of(named_devices(wanted, lambda name: answer(name in known), lambda: answer(known)))


def test_devices_are_named_or_matched_each_once() -> None:
    assert named("meter-1", "gateway-*", "gateway-2") == ["meter-1", "gateway-1", "gateway-2"]
    assert named("*-[1]") == ["gateway-1", "meter-1"]


@pytest.mark.parametrize(
    ("wanted", "known", "said"),
    [
        ("gatewy-1", KNOWN, "no such device; did you mean gateway-1?; it knows 3, gateway-1 for one"),
        ("x*", ["gateway-1"], "no such device; it knows gateway-1"),
        ("gateway-1", [], "no device yet; `fleetrig register gateway-1` lets one in"),
    ],
)
def test_a_name_of_nobody_is_a_mistake(wanted: str, known: list[str], said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        named(wanted, known=known)
    assert said in str(wrong.value)


def test_the_version_follows_from_what_is_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"one")
    (tmp_path / "b.bin").write_bytes(b"two")
    one, both = update_files([tmp_path / "a.bin"]), update_files([tmp_path / "a.bin", tmp_path / "b.bin"])

    assert named_update(one, "", "", "os", "forced").title == f"a {hashlib.sha256(b'one').hexdigest()[:12]}"
    assert named_update(both, "", "", "os", "forced").version != named_update(one, "", "", "os", "forced").version
    (tmp_path / "b.bin").write_bytes(b"another")
    again = update_files([tmp_path / "a.bin", tmp_path / "b.bin"])
    assert named_update(again, "", "", "os", "forced").version != named_update(both, "", "", "os", "forced").version
    assert named_update(both, "mine", "3", "os", "forced").title == "mine 3"


def test_a_file_that_no_server_takes_is_told(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.touch()
    os.truncate(large, FILE_BYTES.most + 1)

    with pytest.raises(UsageError, match=r"large\.bin has 4,294,967,297 bytes, expected at most 4 GiB in a file"):
        update_files([large])


def test_published_files_are_given_to_who_knows_the_address_and_to_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "an image.dp").write_bytes(b"content" * 50_000)
    [file] = update_files([tmp_path / "an image.dp"])

    async def fetch() -> list[tuple[int, bytes]]:
        async with published_files(Address("127.0.0.1", 0)) as published:
            url = urlsplit(published.publish(file))
            asked = [("GET", url.path), ("HEAD", url.path), ("GET", "/an%20image.dp"), ("POST", url.path)]
            return [await asyncio.to_thread(ask, url.netloc, *one) for one in asked]

    got, head, unknown, posted = asyncio.run(fetch())

    assert got == (200, b"content" * 50_000)
    assert head == (200, b"")
    assert unknown == posted == (404, b"")


def test_a_device_that_is_still_fetching_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A server of asyncio waits for its connections from Python 3.12 on."""
    with (tmp_path / "large.dp").open("wb") as large:
        large.truncate(64 << 20)
    [file] = update_files([tmp_path / "large.dp"])

    async def fetch() -> int:
        async with published_files(Address("127.0.0.1", 0)) as published:
            url = urlsplit(published.publish(file))
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(f"GET {url.path} HTTP/1.1\r\n\r\n".encode())
            got = len(await reader.readline())
        with suppress(ConnectionError):
            while block := await reader.read(1 << 20):
                got += len(block)
        writer.close()
        return got

    assert asyncio.run(fetch()) < file.size_bytes


def ask(netloc: str, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(netloc, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_an_address_that_is_not_ours_is_told() -> None:
    async def listen() -> None:
        async with published_files(Address("192.0.2.1", 0)):
            pass

    with pytest.raises(UsageError, match=r"^--serve-at 192\.0\.2\.1:0: "):
        asyncio.run(listen())


class ThreeLooks:
    """A deployer of which only `look` is asked: the first device is done at once, the other after three looks."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self, device: str) -> AdminCall[DeviceProgress]:
        if device == "a":
            return answer(DeviceProgress(["done"], DeviceEnd.INSTALLED))
        self.looks += 1
        end = DeviceEnd.FAILED if self.looks == 3 else None
        return answer(DeviceProgress([f"look {self.looks}"], end))


def followed(now_us: Callable[[], int], within_s: float | None) -> tuple[dict[str, DeviceEnd | None], list[str]]:
    said: list[str] = []
    deployer: Any = ThreeLooks()
    return result_of(follow(deployer, ["a", "bcd"], said.append, now_us, within_s)), said


def test_who_is_done_is_not_asked_again() -> None:
    ends, said = followed(lambda: 0, None)

    assert ends == {"a": DeviceEnd.INSTALLED, "bcd": DeviceEnd.FAILED}
    assert said == ["a    done", "bcd  look 1", "bcd  look 2", "bcd  look 3"]
    assert summary_of(ends) == "1 of 2 devices installed it; it failed on bcd"


def test_it_ends_in_time() -> None:
    clock = iter(range(0, 10_000_000, 600_000))
    ends, said = followed(lambda: next(clock), 1.0)

    assert ends["bcd"] is None
    assert said[-1] == "bcd  look 2"
    assert summary_of(ends) == "1 of 2 devices installed it; not done in time: bcd"


def test_of_many_devices_the_first_are_named() -> None:
    assert shortened(["a"] * 21) == ["a"] * 21
    assert shortened(["a"] * 1_022) == [*["a"] * 20, "… and 1,002 others"]


def test_what_a_device_says_cannot_control_the_terminal() -> None:
    assert shown_line("a  done \x1b[2Jand gone\r\nb") == "a  done  [2Jand gone  b"
    assert shown_line("a" * 1_000) == "a" * 600 + "…"


def test_of_a_whole_log_the_ends_are_shown() -> None:
    entry = {"type": "running", "reportedAt": 0, "messages": [f"line {n}" for n in range(40)]}

    assert told(entry).endswith("running: line 0 · … 38 more … · line 39")
    assert told({"type": "error", "code": -1, "messages": ["a", "b"]}).endswith("error (code -1): a · b")


def test_between_two_looks_it_rests() -> None:
    deployer: Any = ThreeLooks()
    director = follow(deployer, ["bcd"], lambda _: None, lambda: 0, None)
    directions = [next(director)]
    nothing: Outcome | bool = True
    while True:
        try:
            directions.append(director.send(nothing))
        except StopIteration:
            break
    assert [type(one) for one in directions] == [Pause, Pause]
    assert not any(isinstance(one, Ask) for one in directions)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_lets_devices_in_and_knows_what_they_are_called(platform: str) -> None:
    offered = registering_of(platform)

    assert offered.credentials
    assert offered.why_no_name("gateway-7") == ""
    assert offered.why_no_name({"hono": "a@b", "kura": "a/b"}.get(platform, "x" * 300))
