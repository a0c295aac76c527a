"""A board that only has a serial line asks through the bridge, whatever the line does to its bytes."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetrig.hil.bridge.bridge_frames import FROM_BOARD, Frame, FrameKind, frame_bytes, message_frames
from fleetrig.hil.bridge.bridge_messages import BridgeAnswer, BridgeRequest
from fleetrig.hil.port import PortLost
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.hil.bridge.bridged_board import BOARD, Echo, Fault, Wired, bridged, on_a_loop, until

pytestmark = pytest.mark.slow

TARGET = "/DEFAULT/controller/v1/GW-1"


async def polls(board: Any, headers: list[list[str]] | None = None, body: Any = "") -> tuple[int, Any]:
    """Status and body of one poll of the board."""
    status, came = await asyncio.to_thread(board.http, "GET", "http://bench", TARGET, headers or [], body)
    return status, came


@on_a_loop
async def test_what_a_board_asks_is_done_and_answered(tmp_path: Path) -> None:
    echo, events = Echo(), list[TraceEvent]()
    trace = Trace()
    trace.listen(events.append)
    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, lambda: echo, trace):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        headers = [["Authorization", "TargetToken 0123"]]
        assert await polls(board, headers, "äöü") == (200, "äöü")
    assert [one.envelope for one in echo.asked] == [
        HttpRequest("GET", "http://bench", TARGET, (("Authorization", "TargetToken 0123"),), "äöü".encode())
    ]
    assert [(event.kind, event.name, event.reason) for event in events] == [
        ("bridged", "hello", "start 1 of the board since the bridge is open"),
        ("bridged", "ask", "from the board"),
        ("bridged", "ask", "to the board"),
    ]
    assert isinstance(events[2].envelope, HttpResponse)
    assert echo.closed


@on_a_loop
async def test_on_a_good_line_nothing_is_sent_twice(tmp_path: Path) -> None:
    """A board asks again in the moment in which it has its answer."""
    sent: list[bytes] = []

    def noted(data: bytes) -> bytes:
        sent.append(data)
        return data

    wired = Wired(tmp_path / "port", from_board=noted)
    async with bridged(wired.line.link, Echo, again_after_s=60) as (bridge, _):
        board = wired.board(again_after_s=60)

        def ask_often() -> None:
            board.hello()
            for _ in range(100):
                board.http("GET", "http://bench", TARGET)

        await asyncio.to_thread(ask_often)
        assert len(sent) == 1 + 2 * 100  # the hello; then each time the question, and that the answer has come
        assert bridge.sent_again == 0


@pytest.mark.slow
@on_a_loop
async def test_a_body_of_many_parts_and_any_bytes(tmp_path: Path) -> None:
    body = random.Random(1).randbytes(100_000)
    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, Echo):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        sent = {"base64": base64.b64encode(body).decode()}
        status, came = await polls(board, [], sent)
    assert status == 200
    assert b"".join(base64.b64decode(part["base64"]) for part in came) == body


def flips(seed: int) -> Fault:
    """Now and then a bit of a piece is wrong."""
    chance = random.Random(seed)

    def fault(data: bytes) -> bytes:
        changed = bytearray(data)
        if data and chance.random() < 0.2:
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(changed)

    return fault


def drops(seed: int) -> Fault:
    chance = random.Random(seed)

    def fault(data: bytes) -> bytes:
        at = chance.randrange(len(data) or 1)
        return data[:at] + data[at + 3 :] if chance.random() < 0.2 else data

    return fault


def doubles(seed: int) -> Fault:
    chance = random.Random(seed)
    return lambda data: data * 2 if chance.random() < 0.4 else data


def mutters(seed: int) -> Fault:
    """A kernel speaks in the middle of a frame."""
    chance = random.Random(seed)

    def fault(data: bytes) -> bytes:
        at = chance.randrange(len(data) or 1)
        return data[:at] + b"\r\n[ 1.0] usb ~fb1: ~tb1: gone\r\n" + data[at:] if chance.random() < 0.2 else data

    return fault


@pytest.mark.slow
@pytest.mark.parametrize("make", [flips, drops, doubles, mutters], ids=lambda make: make.__name__)
@on_a_loop
async def test_every_message_arrives_once_over_a_bad_line(tmp_path: Path, make: Callable[[int], Fault]) -> None:
    echo, hurt = Echo(), []
    faults = make(1), make(2)

    def hurting(fault: Fault) -> Fault:
        def counted(data: bytes) -> bytes:
            changed = fault(data)
            hurt.append(changed != data)
            return changed

        return counted

    wired = Wired(tmp_path / "port", *map(hurting, faults))
    async with bridged(wired.line.link, lambda: echo):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        for number in range(20):
            body = f"{number} " * 400
            assert await polls(board, [], body) == (200, body)
    assert len(echo.asked) == 20
    assert sum(hurt) > 10


@on_a_loop
async def test_a_board_that_starts_anew_in_mid_message_is_another_boot(tmp_path: Path) -> None:
    echoes = [Echo(), Echo()]
    echoes[0].hold = asyncio.Event()
    wired = Wired(tmp_path / "port")
    opened = iter(echoes)
    async with bridged(wired.line.link, lambda: next(opened)) as (bridge, _):
        before = wired.board(seed=1)
        await asyncio.to_thread(before.hello)
        first, _ = message_frames(before.token.decode(), 1, bytes(600))
        wired.write(frame_bytes(FROM_BOARD, first))
        wired.write(frame_bytes(FROM_BOARD, first)[:40])
        after = wired.board(seed=2)
        await asyncio.to_thread(after.hello)
        assert await polls(after) == (200, "")
        assert bridge.boots == 2
    assert echoes[0].closed
    assert echoes[0].asked == []


@on_a_loop
async def test_an_answer_for_the_old_boot_never_reaches_the_new_one(tmp_path: Path) -> None:
    echoes = [Echo(), Echo()]
    echoes[0].hold = asyncio.Event()
    opened = iter(echoes)
    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, lambda: next(opened)):
        before = wired.board(seed=1)
        await asyncio.to_thread(before.hello)
        wired.write(frame_bytes(FROM_BOARD, Frame(before.token.decode(), FrameKind.MESSAGE, 1, data=ask("/old"))))
        await until(lambda: echoes[0].asked)
        after = wired.board(seed=2)
        await asyncio.to_thread(after.hello)
        echoes[0].hold.set()
        answer = await asyncio.to_thread(
            after.ask, {"do": "ask", "envelope": {"request": REQUEST | {"target": "/new"}}}
        )
    assert answer["envelope"]["response"]["headers"] == [["X-Target", "/new"]]


REQUEST = {"method": "GET", "origin": "http://bench", "target": "/"}


def ask(target: str) -> bytes:
    return (
        b'{"do":"ask","envelope":{"request":{"method":"GET","origin":"http://bench","target":"%s"}}}' % target.encode()
    )


@on_a_loop
async def test_a_bench_that_starts_anew_has_the_board_say_hello(tmp_path: Path) -> None:
    wired = Wired(tmp_path / "port")
    board = wired.board()
    async with bridged(wired.line.link, Echo, seed=1):
        await asyncio.to_thread(board.hello)
    async with bridged(wired.line.link, Echo, seed=2) as (bridge, _):
        with pytest.raises(BOARD.Restarted):
            await polls(board)
        await asyncio.to_thread(board.hello)
        assert await polls(board) == (200, "")
        assert bridge.strange_frames > 0


@on_a_loop
async def test_a_board_that_waits_notices_that_the_bench_starts_anew(tmp_path: Path) -> None:
    stuck = Echo()
    stuck.hold = asyncio.Event()
    wired = Wired(tmp_path / "port")
    board = wired.board()
    async with bridged(wired.line.link, lambda: stuck, seed=1):
        await asyncio.to_thread(board.hello)
        asking = asyncio.create_task(polls(board))
        await until(lambda: stuck.asked)
    async with bridged(wired.line.link, Echo, seed=2):
        with pytest.raises(BOARD.Restarted):
            await asking


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"\xff", "no JSON in UTF-8"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "a request is an object"),
        (b'{"do": "fly"}', "expected one of ask, connect, tell, await, disconnect"),
        (b'{"do": "ask"}', "ask needs an envelope"),
        (b'{"do": "ask", "envelope": {"request": {}}}', "no envelope (KeyError"),
        (b'{"do": "ask", "envelope": 3}', "no envelope"),
        (b'{"do": "await"}', "await needs patterns"),
        (b'{"do": "await", "patterns": ["*"], "within_s": 1e9}', "expected 0 to 600 seconds"),
        (b'{"do": "connect"}', "connect needs where"),
        (b'{"do": "disconnect", "whom": 1}', "nobody knows the key 'whom'"),
        (
            b'{"do":"ask","envelope":{"request":{"method":"PUT","origin":"http://bench","target":"/","body":[{"file_bytes":9}]}}}',
            "has no files here",
        ),
    ],
    ids=["not utf-8", "deep", "list", "do", "no envelope", "empty", "number", "await", "long", "where", "key", "file"],
)
@on_a_loop
async def test_a_board_is_told_what_is_wrong_with_its_request(tmp_path: Path, message: bytes, sentence: str) -> None:
    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, Echo):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        answer = await asyncio.to_thread(sends_raw, board, message)
    assert sentence in answer["wrong"]


def sends_raw(board: object, message: bytes) -> dict[str, str]:
    """As `ask`, with bytes that need not be JSON."""

    class Raw:
        @staticmethod
        def dumps(_: object) -> Raw:
            return Raw()

        def encode(self) -> bytes:
            return message

        loads = staticmethod(BOARD.json.loads)

    plain, BOARD.json = BOARD.json, Raw
    try:
        answer: dict[str, str] = board.ask({})  # type: ignore[attr-defined]
    finally:
        BOARD.json = plain
    return answer


@on_a_loop
async def test_a_board_that_acknowledges_nothing_is_given_up_and_told_so_when_it_speaks(tmp_path: Path) -> None:
    events, trace = list[TraceEvent](), Trace()
    trace.listen(events.append)
    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, Echo, trace):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        wired.write(frame_bytes(FROM_BOARD, Frame(board.token.decode(), FrameKind.MESSAGE, 1, data=ask("/"))))
        await until(lambda: events[-1].name == "not_carried")
        wired.lose_input()
        with pytest.raises(BOARD.Restarted):
            await polls(board)
    assert events[-1].reason == "the board took no part of the answer 1 in 10 sendings"


@on_a_loop
async def test_an_answer_that_is_too_large_is_said_to_be(tmp_path: Path) -> None:
    class Huge(Echo):
        async def perform(self, request: BridgeRequest) -> BridgeAnswer:
            return BridgeAnswer(HttpResponse(200, (), bytes(3 * 1024 * 1024)))

    wired = Wired(tmp_path / "port")
    async with bridged(wired.line.link, Huge):
        board = wired.board()
        await asyncio.to_thread(board.hello)
        with pytest.raises(OSError, match="too_large"):
            await polls(board)


@on_a_loop
async def test_a_carrier_that_fails_ends_the_bridge_with_its_error(tmp_path: Path) -> None:
    class Failing(Echo):
        async def perform(self, request: BridgeRequest) -> BridgeAnswer:
            raise ZeroDivisionError

    wired = Wired(tmp_path / "port")

    async def fails() -> None:
        async with bridged(wired.line.link, Failing) as (_, running):
            board = wired.board()
            await asyncio.to_thread(board.hello)
            wired.write(frame_bytes(FROM_BOARD, Frame(board.token.decode(), FrameKind.MESSAGE, 1, data=ask("/"))))
            await asyncio.wait([running])

    with pytest.raises(ZeroDivisionError):
        await fails()


@on_a_loop
async def test_an_unplugged_board_ends_the_bridge_with_the_loss_of_its_port(tmp_path: Path) -> None:
    echo, wired = Echo(), Wired(tmp_path / "port")

    async def unplugged() -> None:
        async with bridged(wired.line.link, lambda: echo) as (_, running):
            await asyncio.to_thread(wired.board().hello)
            wired.line.unplug()
            await asyncio.wait([running])

    with pytest.raises(PortLost, match="unplugged or switched off"):
        await unplugged()
    assert echo.closed
