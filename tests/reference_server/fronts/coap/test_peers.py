"""Foreign judges of the CoAP front: libcoap's client, and aiocoap's."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.simulator.contract.faults import FaultKind
from tests.coap.echo_platform import pattern
from tests.coap.served import ServedCoap, served_coap
from tests.peers.programs import need_program
from tests.reference_server.echo import until

BODY = pattern(65_536)
LIMIT_S = 30
NOTES = 4


@pytest.fixture
def coap() -> Iterator[ServedCoap]:
    with served_coap(CoapRules(empty_ack_after_us=50_000)) as served:
        yield served


# libcoap: it ends with status 0 whatever happens, so what it says counts


def libcoap(coap: ServedCoap, path: str, *options: str, program: str = "coap-client-notls") -> str:
    command = [need_program(program, "libcoap3-bin"), "-B", "10", *options, f"{coap.url}/{path}"]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True)
    return (done.stdout + done.stderr).decode()


@pytest.mark.peer
@pytest.mark.parametrize("kind", [(), ("-N",)])
@pytest.mark.parametrize("method", ["post", "put"])
def test_libcoap_sends_and_gets_it_back(coap: ServedCoap, method: str, kind: tuple[str, ...]) -> None:
    assert libcoap(coap, "echo", "-m", method, "-e", "hello", "-t", "text/plain", *kind).strip() == "hello"
    assert coap.platform.heard == [f"{method.upper()} coap:/echo"]


@pytest.mark.peer
def test_libcoap_is_refused(coap: ServedCoap) -> None:
    assert "4.03" in libcoap(coap, "no")


@pytest.mark.peer
def test_libcoap_waits_for_a_separate_response(coap: ServedCoap) -> None:
    assert libcoap(coap, "late?150", "-m", "post", "-e", "hello").strip() == "hello"
    assert coap.platform.heard == ["POST coap:/late"]


@pytest.mark.peer
@pytest.mark.parametrize("block", ["64", "1024"])
def test_libcoap_sends_and_gets_blocks(coap: ServedCoap, tmp_path: Path, block: str) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(BODY)
    libcoap(coap, "echo", "-m", "put", "-b", block, "-f", str(there), "-o", str(back))
    assert back.read_bytes() == BODY
    assert coap.platform.heard == ["PUT coap:/echo"]


@pytest.mark.peer
@pytest.mark.parametrize("program", ["coap-client-openssl", "coap-client-gnutls"])
def test_libcoap_sends_and_gets_blocks_over_dtls(tmp_path: Path, program: str) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(BODY)
    with served_coap(listener="coaps") as coap:
        libcoap(coap, "echo", "-n", "-m", "put", "-f", str(there), "-o", str(back), program=program)
        assert back.read_bytes() == BODY
        assert coap.platform.heard == ["PUT coaps:/echo"]


@pytest.mark.peer
def test_libcoap_gets_a_large_body_without_asking_for_blocks(coap: ServedCoap, tmp_path: Path) -> None:
    back = tmp_path / "back"
    libcoap(coap, "large?65536", "-o", str(back))
    assert back.read_bytes() == BODY


@pytest.mark.peer
def test_libcoap_takes_what_comes_twice_and_hears_a_reset(coap: ServedCoap) -> None:
    coap.add_fault(FaultKind.DUPLICATE_DATAGRAM, times=1)
    assert libcoap(coap, "echo", "-m", "post", "-e", "hello").strip() == "hello"
    coap.add_fault(FaultKind.COAP_RESET, times=1)
    assert "hello" not in libcoap(coap, "echo", "-m", "post", "-e", "hello")


@pytest.mark.peer
@pytest.mark.slow
def test_libcoap_repeats_what_was_lost(coap: ServedCoap) -> None:
    coap.add_fault(FaultKind.LOST_DATAGRAM, hits="2.04", times=1)
    assert libcoap(coap, "echo", "-m", "post", "-e", "hello").strip() == "hello"
    assert coap.platform.heard == ["POST coap:/echo"]


@pytest.mark.peer
@pytest.mark.parametrize("wants", ["", "con", "con,2500"])
def test_libcoap_observes(coap: ServedCoap, tmp_path: Path, wants: str) -> None:
    back = tmp_path / "back"
    program = need_program("coap-client-notls", "libcoap3-bin")
    command = [program, "-B", "60", "-s", "60", "-w", "-o", str(back), f"{coap.url}/counter?{wants}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        for n in range(NOTES):
            if n:
                libcoap(coap, "counter", "-m", "post")
            # the next only when all blocks of this one are there: a client may not put those of two together
            until(lambda n=n: back.exists() and back.read_bytes().count(b"\n") > n)  # type: ignore[misc]
        client.terminate()
        client.communicate(timeout=LIMIT_S)
    found = [one.strip(b". ") for one in back.read_bytes().split(b"\n") if one]
    assert found == [b"%d" % n for n in range(NOTES)]


@pytest.mark.peer
@pytest.mark.slow
def test_libcoap_takes_its_observation_back(coap: ServedCoap) -> None:
    assert libcoap(coap, "counter", "-s", "1").strip() == "0"
    until(lambda: len(coap.platform.heard) == 2)
    assert coap.platform.observers == []


# aiocoap


def aiocoap_client(story: Callable[[aiocoap.Context], Awaitable[None]]) -> None:
    async def told() -> None:
        context = await aiocoap.Context.create_client_context(transports=["udp6"])
        try:
            async with asyncio.timeout(LIMIT_S):
                await story(context)
        finally:
            await context.shutdown()

    asyncio.run(told())


def test_aiocoap_sends_and_gets_blocks(coap: ServedCoap) -> None:
    async def story(client: aiocoap.Context) -> None:
        request = aiocoap.Message(code=aiocoap.PUT, payload=BODY, uri=f"{coap.url}/echo")
        answer = await client.request(request).response
        assert (answer.code, answer.payload == BODY) == (aiocoap.CHANGED, True)

    aiocoap_client(story)
    assert coap.platform.heard == ["PUT coap:/echo"]


def test_aiocoap_waits_for_a_separate_response(coap: ServedCoap) -> None:
    async def story(client: aiocoap.Context) -> None:
        requests = [
            client.request(aiocoap.Message(code=aiocoap.POST, payload=b"%d" % n, uri=f"{coap.url}/late?{n}"))
            for n in (0, 40, 60, 120)
        ]
        answers = await asyncio.gather(*(request.response for request in requests))
        assert [answer.payload for answer in answers] == [b"0", b"40", b"60", b"120"]

    aiocoap_client(story)
    assert len(coap.platform.heard) == 4


@pytest.mark.parametrize("wants", ["", "con", "con,2500"])
def test_aiocoap_observes(coap: ServedCoap, wants: str) -> None:
    async def story(client: aiocoap.Context) -> None:
        request = client.request(aiocoap.Message(code=aiocoap.GET, observe=0, uri=f"{coap.url}/counter?{wants}"))
        assert (await request.response).payload.strip(b". ") == b"0"
        notes = aiter(request.observation)
        for n in range(1, NOTES):
            await client.request(aiocoap.Message(code=aiocoap.POST, uri=f"{coap.url}/counter")).response
            note = await anext(notes)
            assert note.payload.strip(b". ") == b"%d" % n
        request.observation.cancel()
        assert (await client.request(aiocoap.Message(code=aiocoap.GET, uri=f"{coap.url}/counter")).response).code

    aiocoap_client(story)
    assert coap.server.bugs == []
