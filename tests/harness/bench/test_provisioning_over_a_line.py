"""Boards without network provision themselves at the reference servers, over nothing but their serial lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.bench.network_carrier import NetworkCarrier
from fleetrig.harness.platforms.hawkbit.own_server import build as build_hawkbit
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Store
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.transports.client_tls import ClientTls
from tests.conversation.thingsboard_both_times import TbScript, built
from tests.harness.bench.bridge_operator import make_gateway_token, target_exists
from tests.hil.bridge.bridged_board import Wired, bridged, on_a_loop

pytestmark = pytest.mark.slow


@asynccontextmanager
async def board_at(
    folder: Path, platform: str, build: PlatformBuilder, schemes: tuple[str, ...]
) -> AsyncIterator[tuple[Any, ReferenceServer, list[TraceEvent]]]:
    """A board that has said hello, whose line leads to a server."""
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    options = ServerOptions((PlatformOptions(platform, build, dict.fromkeys(schemes, ANY_LOOPBACK_PORT)),))
    async with ReferenceServer(options, trace) as server:
        servers = {scheme: server.url(platform, scheme) for scheme in schemes}
        wired = Wired(folder / "port")
        tls = ClientTls(False).of(None)
        async with bridged(wired.line.link, lambda: NetworkCarrier(servers, tls, "gw-1"), trace):
            board = wired.board()
            await asyncio.to_thread(board.hello)
            yield board, server, events
        assert server.bugs == []


def bridged_names(events: list[TraceEvent]) -> list[str]:
    return [event.name for event in events if event.kind == "bridged"]


@on_a_loop
async def test_a_board_registers_at_hawkbit_with_its_gateway_token(tmp_path: Path) -> None:
    async with board_at(tmp_path, "hawkbit", build_hawkbit({}, "1.1"), ("http",)) as (board, server, events):
        url = server.url("hawkbit", "http")
        token = await asyncio.to_thread(make_gateway_token, url)
        path, headers = "/DEFAULT/controller/v1/GW-0001", [["Authorization", f"GatewayToken {token}"]]
        assert (await asyncio.to_thread(board.http, "GET", "http://bench", path))[0] == 401
        status, said = await asyncio.to_thread(board.http, "GET", "http://bench", path, headers)
        assert status == 200
        assert json.loads(said)["config"]["polling"]["sleep"]
        attributes = json.dumps({"mode": "replace", "data": {"serial": "GW-0001"}})
        headers.append(["Content-Type", "application/json"])
        done = await asyncio.to_thread(board.http, "PUT", url, f"{path}/configData", headers, attributes)
        assert done[0] == 200
        assert await asyncio.to_thread(target_exists, url, "GW-0001")
    assert bridged_names(events) == ["hello"] + ["ask"] * 6


ASKED = {"deviceName": "dev-1", "provisionDeviceKey": "a-provision-key", "provisionDeviceSecret": "a-provision-secret"}


def build_thingsboard(store: Store, blobs: object, entropy: object) -> Any:
    return built(TbScript(), store)


@on_a_loop
async def test_a_board_provisions_itself_at_thingsboard_by_http(tmp_path: Path) -> None:
    async with board_at(tmp_path, "thingsboard", build_thingsboard, ("http",)) as (board, _, _):
        headers = [["Content-Type", "application/json"]]
        status, said = await asyncio.to_thread(
            board.http, "POST", "http://bench", "/api/v1/provision", headers, json.dumps(ASKED)
        )
        token = json.loads(said)["credentialsValue"]
        sent = await asyncio.to_thread(
            board.http, "POST", "http://bench", f"/api/v1/{token}/telemetry", headers, '{"up": 1}'
        )
    assert (status, sent[0]) == (200, 200)


@on_a_loop
async def test_a_board_provisions_itself_at_thingsboard_by_mqtt_and_is_pushed_to(tmp_path: Path) -> None:
    async with board_at(tmp_path, "thingsboard", build_thingsboard, ("mqtt",)) as (board, _, events):

        async def ask(do: str, **request: Any) -> Any:
            return await asyncio.to_thread(board.ask, {"do": do, **request})

        connect = {"client_id": "provision", "user_name": "provision"}
        assert await ask("connect", where="mqtt://bench", envelope={"connect": connect}) == {
            "envelope": {"connack": {}}
        }
        wanted = {"subscriptions": [{"topic_filter": "/provision/response", "qos": 1}]}
        assert "suback" in (await ask("ask", envelope={"subscribe": wanted}))["envelope"]
        publish = {"topic": "/provision/request", "payload": json.dumps(ASKED), "qos": 1}
        assert "publish_ack" in (await ask("ask", envelope={"publish": publish}))["envelope"]
        came = await ask("await", patterns=["PUBLISH /provision/response"])
        assert await ask("await", patterns=["PUBLISH *"], within_s=0) == {"failed": "timeout"}
        token = json.loads(came["envelope"]["publish"]["payload"])["credentialsValue"]
        assert await ask("disconnect") == {"done": True}
        connect = {"client_id": "dev-1", "user_name": token}
        assert await ask("connect", where="mqtt://bench", envelope={"connect": connect}) == {
            "envelope": {"connack": {}}
        }
    assert bridged_names(events).count("connect") == 4


class CoapBoard:
    """What firmware does over CoAP; `others` are further fields of its requests."""

    def __init__(self, board: Any) -> None:
        self._board = board

    async def ask(self, target: str, payload: dict[str, Any] | None = None, **others: Any) -> Any:
        """The bridge's whole answer."""
        said = {"payload": json.dumps(payload), "method": "POST"} if payload is not None else {"method": "GET"}
        envelope = {"coap_request": {"origin": "coap://bench", "target": target, **said, **others}}
        return await asyncio.to_thread(self._board.ask, {"do": "ask", "within_s": 20, "envelope": envelope})

    async def response(self, target: str, payload: dict[str, Any] | None = None, **others: Any) -> Any:
        return (await self.ask(target, payload, **others))["envelope"]["coap_response"]


@on_a_loop
async def test_a_board_provisions_itself_at_thingsboard_by_coap_beside_http(tmp_path: Path) -> None:
    async with board_at(tmp_path, "thingsboard", build_thingsboard, ("coap", "http")) as (board, server, events):
        coap = CoapBoard(board)
        came = await coap.response("/api/v1/provision", ASKED)
        token = json.loads(came["payload"])["credentialsValue"]
        own = server.url("thingsboard", "coap")
        sent = await coap.response(f"/api/v1/{token}/telemetry", {"up": 1}, origin=own)
        refused = await coap.response("/api/v1/nobodys-token/telemetry", {"up": 1})
        over_http = await asyncio.to_thread(board.http, "GET", "http://bench", f"/api/v1/{token}/attributes")
        large = await coap.response(f"/api/v1/{token}/telemetry", {"log": "x" * 5_000})
    assert (came["code"], sent["code"], refused["code"]) == ("2.01", "2.01", "4.01")
    assert over_http[0] == 200
    assert large["code"] == "2.01"  # in blocks, of which the board knows nothing
    assert bridged_names(events) == ["hello"] + ["ask"] * 10


@on_a_loop
async def test_a_board_observes_over_its_line_until_it_hangs_up(tmp_path: Path) -> None:
    async with board_at(tmp_path, "thingsboard", build_thingsboard, ("coap",)) as (board, _, _):
        coap = CoapBoard(board)
        token = json.loads((await coap.response("/api/v1/provision", ASKED))["payload"])["credentialsValue"]
        watched = await coap.response(f"/api/v1/{token}/attributes", observe=0, token="w")
        assert watched["code"] == "2.05"
        assert "observe" in watched
        waits = {"do": "await", "patterns": ["2.05"], "within_s": 0}
        assert await asyncio.to_thread(board.ask, waits) == {"failed": "timeout"}
        assert await asyncio.to_thread(board.ask, {"do": "disconnect"}) == {"done": True}
        assert await asyncio.to_thread(board.ask, waits) == {"failed": "closed"}
        assert (await coap.response(f"/api/v1/{token}/telemetry", {"up": 1}))["code"] == "2.01"


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            {"do": "ask", "envelope": {"request": {"method": "GET", "origin": "http://192.0.2.1", "target": "/"}}},
            "http://192.0.2.1 is not the server of this bench",
        ),
        ({"do": "connect", "where": "coaps://bench"}, "the server here speaks http, mqtt"),
        ({"do": "ask", "envelope": {"publish": {"topic": "a", "qos": 0}}}, "QoS 0 has no answer: tell"),
        ({"do": "ask", "envelope": {"connack": {}}}, "ask sends no MqttConnack"),
        (
            {"do": "connect", "where": "mqtt://bench", "envelope": {"connect": {"keep_alive_s": 1_000_000_000}}},
            "",
        ),
    ],
    ids=["elsewhere", "scheme", "no answer", "server's", "out of range"],
)
@on_a_loop
async def test_what_a_board_may_not_send_is_said_and_the_bridge_goes_on(
    tmp_path: Path, request_: dict[str, Any], sentence: str
) -> None:
    async with board_at(tmp_path, "thingsboard", build_thingsboard, ("http", "mqtt")) as (board, _, _):
        answer = await asyncio.to_thread(board.ask, request_)
        assert sentence in answer.get("wrong", ""), answer
        assert "envelope" not in answer
        assert (await asyncio.to_thread(board.http, "GET", "http://bench", "/api/v1/none/attributes"))[0] == 401
