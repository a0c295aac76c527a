"""The echo platform for a run. Its server has no API, so records are read out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleetrig.harness.platform import DeviceCall, OwnServer, Platform, Record
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, UserPassword
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.drivers.director import AdminCall, Director
from tests.conversation.echo_platform import PASSWORD, EchoPlatform
from tests.conversation.gateway import Gateway
from tests.second_platform.vocabulary import VOCABULARY, Announce

SERVERS: list[EchoPlatform] = []
"""Those that were built, the newest last."""


class EchoAdmin:
    """Nobody has to be asked for anything."""

    def __init__(self, server: RemoteServer) -> None:
        self.url, self.account, self.tenant = server.url, server.account, VOCABULARY.tenant

    def greet(self) -> AdminCall[None]:
        yield from ()

    def secrets(self) -> Iterator[tuple[str, str]]:
        yield "password", PASSWORD


class EchoWork:
    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.said: list[str] = []

    def setup(self) -> Director[None]:
        yield from ()
        self.said += [f"{key} = {value}" for key, value in self.context.scenario.server.settings.values.items()]

    def device(self, device: DeviceIdentity, unit: Unit) -> tuple[Credential | None, Gateway]:
        return UserPassword(device.serial, PASSWORD), Gateway(self.context.server.listeners["mqtt"])

    def perform(self, words: ActionWord) -> Director[None]:
        yield from ()
        assert isinstance(words, Announce)
        self.said += [f"{words.text} {serial}" for serial in self.context.serials(words.only)]

    def record(self, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
        yield from ()
        published = SERVERS[-1].published(serial)
        return Record(serial, "known" if published else "unknown", fields={"published": published})

    def cleanup(self) -> Iterator[tuple[str, AdminCall[None]]]:
        yield from ()


def build(properties: Mapping[str, str], profile: str) -> PlatformBuilder:
    if properties:
        raise ValueError("an echo has no properties")

    def echo(store: Store, blobs: Blobs, entropy: Entropy) -> EchoPlatform:
        SERVERS.append(EchoPlatform(store, blobs, entropy))
        return SERVERS[-1]

    return echo


def device_call(event: TraceEvent) -> DeviceCall | None:
    connects = isinstance(event.envelope, MqttConnect)
    return DeviceCall(event.device, "connect") if connects else None


def credential_values(credential: Credential | None) -> dict[str, str]:
    return {"password": credential.password if isinstance(credential, UserPassword) else ""}


def settings_in_force(scenario: Scenario) -> dict[str, object]:
    return dict(scenario.server.settings.values)


PLATFORM = Platform(
    name="echo",
    title="Echo",
    vocabulary=VOCABULARY,
    admin=EchoAdmin,
    work=EchoWork,
    own_server=OwnServer(build, {"mqtt": "mqtt://echo.test:1883"}, UserPassword("nobody", PASSWORD)),
    device_call=device_call,
    credential_values=credential_values,
    settings_in_force=settings_in_force,
)
