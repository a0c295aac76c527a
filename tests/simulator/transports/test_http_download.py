"""Streaming a file over a real socket: cut, resumed, dripping, endless (V16, V17)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest

from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Download, Downloaded, NoReply
from fleetrig.simulator.transports.http import HttpTransport
from fleetrig.simulator.transports.storage import Storage
from tests.simulator.transports.raw_server import Answer, Connection, RawServer, silent, whole
from tests.simulator.transports.test_http import TLS, talking

IMAGE = bytes(range(256)) * 2_000


def wanted(server: RawServer, from_byte: int = 0, within_s: float = 5.0, at_most_bytes: int | None = None) -> Download:
    headers = (("Range", f"bytes={from_byte}-"),) if from_byte else ()
    return Download(
        "download", HttpRequest("GET", server.origin, "/fw", headers), "fw", from_byte, within_s, at_most_bytes
    )


def downloading(
    answer: Answer, talk: Callable[[RawServer, HttpTransport], Awaitable[list[Downloaded | NoReply]]]
) -> tuple[RawServer, list[Downloaded | NoReply]]:
    outcomes: list[Downloaded | NoReply] = []

    async def conversation(server: RawServer, transport: HttpTransport) -> None:
        outcomes.extend(await talk(server, transport))

    return talking(answer, conversation), outcomes


def once(answer: Answer, within_s: float = 5.0, at_most_bytes: int | None = None) -> Downloaded | NoReply:
    async def talk(server: RawServer, transport: HttpTransport) -> list[Downloaded | NoReply]:
        return [await transport.download(wanted(server, 0, within_s, at_most_bytes), "dev")]

    return downloading(answer, talk)[1][0]


def test_a_whole_file_has_its_hashes() -> None:
    async def answer(connection: Connection, _: bytes) -> None:
        await connection.send(whole(IMAGE, "200 OK", 'ETag: "1"'))

    got = once(answer)
    assert isinstance(got, Downloaded)
    assert (got.status, got.received_bytes, got.stored_bytes, got.cut) == (200, len(IMAGE), len(IMAGE), False)
    assert ("ETag", '"1"') in got.headers
    assert got.hashes == {name: hashlib.new(name, IMAGE).hexdigest() for name in ("sha1", "md5", "sha256")}
    assert got.after_s > 0.0


@pytest.mark.parametrize("how", ["close", "reset", "chunked"])
def test_v16_a_cut_download_is_resumed(how: str) -> None:
    async def answer(connection: Connection, request: bytes) -> None:
        if b"Range: bytes=" in request:
            start = int(request.split(b"Range: bytes=")[1].split(b"-")[0])
            content_range = f"Content-Range: bytes {start}-{len(IMAGE) - 1}/{len(IMAGE)}"
            await connection.send(whole(IMAGE[start:], "206 Partial Content", content_range))
            return
        half = IMAGE[: len(IMAGE) // 2]
        if how == "chunked":
            await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(half) + half)
        else:
            await connection.send(whole(IMAGE)[: -len(half)])
        connection.reset() if how == "reset" else connection.close()

    async def talk(server: RawServer, transport: HttpTransport) -> list[Downloaded | NoReply]:
        first = await transport.download(wanted(server), "dev")
        assert isinstance(first, Downloaded)
        return [first, await transport.download(wanted(server, first.stored_bytes), "dev")]

    server, (first, second) = downloading(answer, talk)
    assert isinstance(first, Downloaded)
    assert first.cut
    assert first.stored_bytes == first.received_bytes <= len(IMAGE) // 2
    assert isinstance(second, Downloaded)
    assert (second.cut, second.stored_bytes) == (False, len(IMAGE))
    assert second.hashes["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert len(server.connections) == 2


def test_v17_a_200_to_a_range_starts_anew() -> None:
    async def answer(connection: Connection, request: bytes) -> None:
        await connection.send(whole(IMAGE) if b"Range" in request else whole(IMAGE)[:-1000])
        connection.close()

    async def talk(server: RawServer, transport: HttpTransport) -> list[Downloaded | NoReply]:
        return [await transport.download(wanted(server, at), "dev") for at in (0, len(IMAGE) - 1000)]

    _, (_, second) = downloading(answer, talk)
    assert isinstance(second, Downloaded)
    assert (second.status, second.stored_bytes, second.cut) == (200, len(IMAGE), False)
    assert second.hashes["sha1"] == hashlib.sha1(IMAGE).hexdigest()


@pytest.mark.parametrize("status", ["404 Not Found", "416 Range Not Satisfiable", "503 Service Unavailable"])
def test_only_files_are_stored(status: str) -> None:
    async def answer(connection: Connection, _: bytes) -> None:
        await connection.send(whole(b"sorry", status, "Retry-After: 7"))

    got = once(answer)
    assert isinstance(got, Downloaded)
    assert (got.status, got.received_bytes, got.stored_bytes, got.hashes, got.cut) == (int(status[:3]), 0, 0, {}, False)
    assert ("Retry-After", "7") in got.headers


def test_a_file_that_stops_coming_is_cut_not_lost() -> None:
    async def answer(connection: Connection, request: bytes) -> None:
        await connection.send(whole(IMAGE)[:-1000])
        await silent(connection, request)

    got = once(answer, within_s=0.1)
    assert isinstance(got, Downloaded)
    assert (got.cut, got.stored_bytes) == (True, len(IMAGE) - 1000)


def test_a_slow_file_is_a_file() -> None:
    """Each block has its time; the whole may take longer."""

    async def drip(connection: Connection, request: bytes) -> None:
        await connection.send(whole(b"x" * 30)[:-30])
        for _ in range(30):  # 0.6 s in all
            await connection.send(b"x")
            await asyncio.sleep(0.02)

    got = once(drip, within_s=0.4)
    assert isinstance(got, Downloaded)
    assert (got.cut, got.stored_bytes) == (False, 30)


def test_a_file_that_never_ends_is_left() -> None:
    async def endless(connection: Connection, _: bytes) -> None:
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await connection.send(b"x" * 65_536)

    got = once(endless, at_most_bytes=1_000_000)
    assert isinstance(got, Downloaded)
    assert not got.cut
    assert 1_000_000 < got.stored_bytes < 3_000_000


@pytest.mark.parametrize(("within_s", "why"), [(0.05, "timeout"), (5.0, "closed")])
def test_no_answer_at_all(within_s: float, why: str) -> None:
    async def answer(connection: Connection, request: bytes) -> None:
        if why == "timeout":
            await silent(connection, request)
        connection.close()

    got = once(answer, within_s=within_s)
    assert isinstance(got, NoReply)
    assert got.why == why


def test_a_finished_file_is_forgotten_and_a_cut_one_kept() -> None:
    storage = Storage()

    async def answer(connection: Connection, request: bytes) -> None:
        await connection.send(whole(IMAGE) if b"/whole" in request else whole(IMAGE)[:-1])
        connection.close()

    async def conversation() -> None:
        async with asyncio.timeout(20.0), RawServer(answer) as server:
            transport = HttpTransport(TLS, storage)
            for name in ("whole", "cut"):
                request = HttpRequest("GET", server.origin, f"/{name}")
                await transport.download(Download("download", request, name, 0, 5.0), "dev")
            await transport.close()

    asyncio.run(conversation())
    assert list(storage._files) == [("dev", "cut")]
