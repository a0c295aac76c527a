"""What a board asks over its line, done in the network: it reaches the servers of the bench, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from fleetrig.hil.bridge.bridge_messages import BridgeAnswer, BridgeRequest
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Ask, Await, Connect, Disconnect, Done, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.http import HttpTransport
from fleetrig.simulator.transports.link import Link
from fleetrig.simulator.transports.openers import OPENERS
from fleetrig.simulator.transports.storage import Storage

BENCH_HOST: Final = "bench"
"""The host that a board names when it was told no other: `http://bench`."""


class NotReachable(ValueError):
    """The board names an address that is not the bench's; `str()` is for the author of its firmware."""


class NetworkCarrier:
    """The connections of one board from one hello to the next; a `Carrier` of `hil.bridge`.

    `servers`: scheme -> origin (`mqtt` -> `mqtt://127.0.0.1:1883`). `tls`: what the board shows and whom it trusts.
    """

    def __init__(self, servers: Mapping[str, str], tls: DeviceTls, board: str) -> None:
        self._servers = servers
        self._link = Link(HttpTransport(tls.context, Storage()), OPENERS, tls, board, _drop)

    async def perform(self, request: BridgeRequest) -> BridgeAnswer:
        try:
            outcome = await self._link.perform(self._effect(request), request.within_s)
        except BrokenBench:
            raise
        except Exception as error:  # noqa: BLE001 (a board may send anything: what libraries say of it is for its author)
            return BridgeAnswer(wrong=f"{type(error).__name__}: {error}")
        return _answer(outcome)

    async def close(self) -> None:
        await self._link.close()

    def _effect(self, request: BridgeRequest) -> Connect | Ask | Tell | Await | Disconnect:
        name, envelope = "bridged", self._at_server(request.envelope)
        match request.do:
            case "connect":
                return Connect(name, self._address(request.where), envelope, request.within_s)  # type: ignore[arg-type]
            case "ask":
                return Ask(name, envelope, request.within_s)  # type: ignore[arg-type]
            case "tell":
                assert envelope is not None
                return Tell(name, envelope)
            case "await":
                return Await(name, request.patterns, request.within_s, request.within_s)
            case "disconnect":
                return Disconnect()

    def _at_server(self, envelope: Envelope | None) -> Envelope | None:
        match envelope:
            case HttpRequest(origin=origin) | CoapRequest(origin=origin):
                return replace(envelope, origin=self._address(origin))
            case _:
                return envelope

    def _address(self, where: str) -> str:
        """The address to open. Raises NotReachable."""
        scheme, _, rest = where.partition("://")
        known = self._servers.get(scheme)
        if known is None:
            raise NotReachable(f"{where}: the server here speaks {', '.join(sorted(self._servers))}")
        if rest != BENCH_HOST and urlsplit(where).netloc != urlsplit(known).netloc:
            raise NotReachable(f"{where} is not the server of this bench: {known}, or {scheme}://{BENCH_HOST}")
        return known


def _answer(outcome: Outcome) -> BridgeAnswer:
    match outcome:
        case Reply(envelope=envelope):
            return BridgeAnswer(envelope)
        case NoReply(why=why):
            return BridgeAnswer(failed=why)
        case Done():
            return BridgeAnswer()
        case _:
            raise AssertionError(f"no effect of a board ends with {outcome}")


def _drop(_: Envelope) -> None:
    """The inbox was full: what is pushed to a board that never looks is lost, as with any device."""
