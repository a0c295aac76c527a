"""Who takes commands at the moment, and to whom each goes: the command router (CommandTargetMapperImpl).

In memory, as the real one keeps it: who subscribes or waits is on a connection of this process. A command is routed
when it is sent, within the operator's transaction; adapters take theirs after its commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.commands.undelivered import UndeliveredCommands
from fleetrig.reference_server.platforms.hono.state.devices import device_of, members_of
from fleetrig.reference_server.platforms.hono.state.registry import Registry

MOST_WAITING: Final = 1_000
"""Commands that no adapter has taken yet; they wait for a turn of the event loop only."""

MOST_GATEWAYS: Final = 10_000
"""Devices of which it is known through whom they were heard last; the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class CommandConsumer:
    """A subscription, or a request that waits: commands for `device_id`, or for devices behind it if it is a gateway.

    `gateway_id` is set where a gateway wants those of one device only. `key`: the adapter's own.
    """

    adapter: str
    tenant_id: str
    device_id: str
    key: int
    gateway_id: str = ""


@dataclass(frozen=True, slots=True)
class RoutedCommand:
    consumer: CommandConsumer
    command: DeviceCommand


class CommandRouter:
    """For each device the consumer that came last counts, whatever adapter it is at."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._consumers: dict[tuple[str, str], CommandConsumer] = {}
        self._last_gateways: dict[tuple[str, str], str] = {}
        self._routed: list[RoutedCommand] = []
        self.undelivered = UndeliveredCommands(registry)

    # What adapters say

    def begin(self, consumer: CommandConsumer) -> None:
        self._consumers[consumer.tenant_id, consumer.device_id] = consumer

    def end(self, consumer: CommandConsumer) -> bool:
        """False when another has taken its place already: then nobody is told that it is gone."""
        place = consumer.tenant_id, consumer.device_id
        if self._consumers.get(place) is not consumer:
            return False
        del self._consumers[place]
        return True

    def came_through(self, tenant_id: str, device_id: str, gateway_id: str) -> None:
        """The device has said something through that gateway: of several it is asked first."""
        self._last_gateways.pop((tenant_id, device_id), None)
        self._last_gateways[tenant_id, device_id] = gateway_id
        if len(self._last_gateways) > MOST_GATEWAYS:
            del self._last_gateways[next(iter(self._last_gateways))]

    def take(self, adapter: str) -> list[RoutedCommand]:
        """What the adapter has to deliver, in order."""
        taken = [one for one in self._routed if one.consumer.adapter == adapter]
        self._routed = [one for one in self._routed if one.consumer.adapter != adapter]
        return taken

    def take_safely(self, adapter: str) -> list[RoutedCommand]:
        """In a transaction; if that fails, they are there again."""
        taken = self.take(adapter)
        self._registry.store.when_settled(lambda committed: None if committed else self._put(*taken))
        return taken

    @property
    def is_due(self) -> bool:
        """Commands wait to be delivered, or applications to hear that one was not."""
        return bool(self._routed or self.undelivered)

    # What an operator says

    def send(self, command: DeviceCommand) -> bool:
        """Call it in a transaction. False when nobody takes the commands of that device."""
        consumer = self._consumer_of(command)
        if consumer is None:
            return False
        is_of_gateway = consumer.device_id != command.device_id
        gateway_id = consumer.device_id if is_of_gateway else consumer.gateway_id
        routed = RoutedCommand(consumer, replace(command, gateway_id=gateway_id))
        self._registry.store.when_settled(lambda committed: self._put(routed) if committed else None)
        return True

    def _gateways_of(self, command: DeviceCommand) -> list[str]:
        """Of its `via`, then the members of its groups; a gateway may be both."""
        device = device_of(self._registry, command.tenant_id, command.device_id)
        if device is None:
            return []
        in_groups = [one for group in device.via_groups for one in members_of(self._registry, device.tenant_id, group)]
        return list(dict.fromkeys([*device.via, *(gateway.device_id for gateway in in_groups)]))

    def _put(self, *routed: RoutedCommand) -> None:
        self._routed += routed
        del self._routed[:-MOST_WAITING]

    def _consumer_of(self, command: DeviceCommand) -> CommandConsumer | None:
        """The device's own, then that of the gateway it was heard through last, then that of any of its gateways."""
        place = command.tenant_id, command.device_id
        if (own := self._consumers.get(place)) is not None:
            return own
        gateways = self._gateways_of(command)
        last = self._last_gateways.get(place)
        ordered = [last, *gateways] if last in gateways and last is not None else gateways
        found = (self._consumers.get((command.tenant_id, gateway)) for gateway in ordered)
        return next((one for one in found if one is not None), None)
