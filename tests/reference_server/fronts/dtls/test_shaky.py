"""Handshakes over a network that loses, doubles and reorders; side by side, for OpenSSL's clock is the machine's."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import Any

import pytest

from fleetrig.reference_server.fronts.datagrams import DatagramSocket, SocketAddress
from fleetrig.reference_server.fronts.dtls.carrier import DtlsCarrier
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.simulator.contract.identity import PreSharedKey, TlsCredential
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.dtls import DtlsChannel
from fleetrig.simulator.transports.dtls_client import DtlsClient
from tests.certificates import P256, of_device, trusting
from tests.reference_server.fronts.dtls.bench import AUTHORITY, KEYS, SERVER, Echo, Judge, Midnight
from tests.reference_server.fronts.dtls.shaky import ShakyNetwork

SEEDS = 60
CERTIFICATE = of_device(AUTHORITY.create_child_ca(key_type=P256).issue_cert("dev-1", key_type=P256))
KEY = PreSharedKey("dev-1", KEYS["dev-1"])
DEVICES = ClientTls(trusting(AUTHORITY))
LONG_S = 50.0
"""A handshake that comes to nothing."""


class WireToServer(asyncio.DatagramTransport):
    """What a device's channel takes for its socket."""

    def __init__(self, world: World, address: SocketAddress, network: ShakyNetwork) -> None:
        super().__init__()
        self._world = world
        self._address = address
        self._network = network

    def sendto(self, data: Any, addr: Any = None) -> None:
        carrier = self._world.carrier
        self._network.carry(partial(asyncio.get_running_loop().call_soon, carrier.datagram, data, self._address))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


class World:
    """A server, and devices at addresses of their own."""

    def __init__(self) -> None:
        self.bugs: list[BaseException] = []
        self.echo = Echo()
        self._links: dict[SocketAddress, tuple[DtlsChannel, ShakyNetwork]] = {}
        tools = FrontTools(Midnight(), Trace(), lambda _, bug: self.bugs.append(bug), count(1).__next__)
        sock = DatagramSocket("coaps", 5684, None, self._to_device)
        self.carrier = DtlsCarrier(self.echo, sock, Judge(), tools, lambda _: SERVER)  # type: ignore[arg-type]

    async def talk(self, seed: int, shown: TlsCredential) -> bytes:
        """A device shakes hands and says its number."""
        address, network = ("127.0.0.1", seed), ShakyNetwork(seed)
        channel = DtlsChannel(DtlsClient(DEVICES.of(shown), "localhost"))
        self._links[address] = channel, network
        channel.connection_made(WireToServer(self, address, network))
        await channel.opened()
        network.calm_down()
        channel.send(b"%d" % seed)
        answer = await channel.receive()
        channel.close()
        return answer

    def _to_device(self, data: bytes, address: SocketAddress) -> None:
        channel, network = self._links[address]
        network.carry(partial(asyncio.get_running_loop().call_soon, channel.datagram_received, data, address))


@pytest.mark.slow
def test_every_handshake_is_done_in_the_end() -> None:
    async def run() -> None:
        world = World()
        async with asyncio.timeout(LONG_S):
            answers = await asyncio.gather(
                *(world.talk(seed, KEY if seed % 2 else CERTIFICATE) for seed in range(SEEDS))
            )
        world.carrier.close()
        assert answers == [b"%d" % seed for seed in range(SEEDS)]
        assert world.bugs == []
        assert len(world.echo.opened) == SEEDS

    asyncio.run(run())
