"""Our own devices against our own server: they share no line of CoAP, and understand each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.coap import CoapWire, open_coap
from tests.coap.echo_platform import pattern
from tests.coap.served import ServedCoap, served_coap
from tests.reference_server.echo import until

pytestmark = pytest.mark.slow

LIMIT_S = 30


@pytest.fixture(params=["coap", "coaps"])
def coap(request: pytest.FixtureRequest) -> Iterator[ServedCoap]:
    with served_coap(CoapRules(empty_ack_after_us=20_000), listener=request.param) as served:
        yield served


def device(coap: ServedCoap, story: Callable[[CoapWire], Awaitable[None]]) -> None:
    async def told() -> None:
        wire = await open_coap(coap.url, ClientTls(verify=False).of(None))
        try:
            async with asyncio.timeout(LIMIT_S):
                await story(wire)
        finally:
            await wire.close()

    asyncio.run(told())


async def ask(wire: CoapWire, request: Envelope) -> CoapResponse:
    await wire.send(request)
    answer = await wire.receive()
    assert isinstance(answer, CoapResponse)
    return answer


def to(coap: ServedCoap, method: str, target: str, payload: bytes = b"", observe: int | None = None) -> CoapRequest:
    return CoapRequest(method, coap.url, target, payload, observe=observe, token=b"\0\0\0\1")


def test_bodies_in_blocks_both_ways(coap: ServedCoap) -> None:
    body = pattern(65_536)

    async def story(wire: CoapWire) -> None:
        answer = await ask(wire, to(coap, "POST", "/echo", body))
        assert (answer.code, answer.payload == body) == ("2.04", True)

    device(coap, story)
    assert coap.platform.heard == [f"POST {coap.listener}:/echo"]


def test_a_separate_response(coap: ServedCoap) -> None:
    async def story(wire: CoapWire) -> None:
        answer = await ask(wire, to(coap, "POST", "/late?60", b"hello"))
        assert (answer.code, answer.payload, answer.confirmable) == ("2.04", b"hello", True)

    device(coap, story)


@pytest.mark.parametrize("wants", ["", "con", "con,2500"])
def test_an_observation_and_its_end_by_reset(coap: ServedCoap, wants: str) -> None:
    async def story(wire: CoapWire) -> None:
        first = await ask(wire, to(coap, "GET", f"/counter?{wants}", observe=0))
        assert (first.observe, first.payload.strip(b". ")) == (2, b"0")
        coap.bench.loop.call(coap.count)
        note = await wire.receive()
        assert isinstance(note, CoapResponse)
        assert (note.observe, note.payload.strip(b". ")) == (3, b"1")
        await wire.send(CoapReset(first.token))
        coap.bench.loop.call(coap.count)
        await asyncio.to_thread(until, lambda: not coap.platform.observers)

    device(coap, story)
    assert coap.platform.heard[-1] == "RST"


def test_a_reset_in_place_of_an_answer(coap: ServedCoap) -> None:
    coap.add_fault(FaultKind.COAP_RESET, times=1)

    async def story(wire: CoapWire) -> None:
        await wire.send(to(coap, "GET", "/echo"))
        assert isinstance(await wire.receive(), CoapReset)

    device(coap, story)
