"""The Kura platform: the broker of the namespace and the administrator's REST API over one registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.northbound import NorthboundCommand, NorthboundMessage, OpenOutlet, Outlet
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.kura.broker.broker import KuraBroker
from fleetrig.reference_server.platforms.kura.broker.session_rules import mqtt_limits
from fleetrig.reference_server.platforms.kura.device_management.odd_messages import OddMessages
from fleetrig.reference_server.platforms.kura.rest.api import RestApi
from fleetrig.reference_server.platforms.kura.state.installation import open_installation
from fleetrig.reference_server.platforms.kura.state.provision_jobs import advance_jobs, next_due_us
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import earliest_us
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

AT_ONCE: Final = 0
DEFAULTS: Final = Settings()


class KuraPlatform:
    """Only routes; the installation is there before the first envelope is looked at."""

    name = "kura"

    def __init__(self, store: Store, blobs: Blobs, entropy: Entropy, settings: Settings = DEFAULTS) -> None:
        self.registry = Registry(store, entropy, settings)
        self._broker = KuraBroker(self.registry)
        self._rest = RestApi(self.registry, self._broker.calls)
        self._odd_messages = OddMessages(self.registry, self._broker.calls)
        self._is_open = False
        self.container_rules: HttpContainerRules = self._rest.container_rules
        self.outlet: Outlet = OpenOutlet()
        self.webhook = ""
        self.mqtt_limits = mqtt_limits(settings.payload_bytes)

    def listens_at(self, urls: Mapping[str, str]) -> None:
        """Where its own listeners are: devices are sent there (`AddressedPlatform`)."""
        self.registry.listeners = dict(urls)

    # What only who tests it says

    def for_webhook(self, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        return ()

    def northbound(self, tenant: str, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        """Nothing is handed on to applications: they subscribe as any client does."""
        return ()

    def send_command(self, command: NorthboundCommand, now_us: int) -> str:
        """A control message, odd or not (`odd_messages`). Raises CommandRefused."""
        return self._odd_messages.send(command, now_us)

    # What fronts say

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        self._open(now_us)
        return self._rest.handle(request, session, now_us)

    def left(self, held_id: int, now_us: int) -> None:
        self._broker.left(held_id)

    def opened(self, session: Session, now_us: int) -> Reaction:
        self._open(now_us)
        return self._broker.opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return self._broker.receive(session, envelope, now_us)

    def closed(self, session: Session, now_us: int) -> Reaction:
        return self._broker.closed(session, now_us)

    def failed(self, session: Session, envelope: Envelope, reason: str, now_us: int) -> Reaction:
        return self._broker.failed(session, envelope, reason, now_us)

    def gives_up_after_us(self, envelope: Envelope) -> int | None:
        return None if isinstance(envelope, HttpRequest) else self._broker.gives_up_after_us(envelope)

    # By itself

    def next_due_us(self) -> int | None:
        if self.registry.has_notices or self._broker.owes:
            return AT_ONCE
        return earliest_us(next_due_us(self.registry), self._broker.next_due_us())

    def advance_in_memory(self, now_us: int) -> Sequence[Reaction]:
        return self._broker.advance_in_memory(now_us)

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Sessions hear what was done over REST; jobs and calls that are out of time come to their end.

        After a start this is also what finds the jobs of an earlier process, before anybody has come.
        """
        self._open(now_us)
        heard = self._broker.hear(self.registry.take_notices(), now_us)
        done = self._broker.advance(now_us)  # first: an installation that is out of time is another attempt of its job
        lapsed = [
            Reaction(reason=one.reason, device=one.request.client_id, steps=(one.step,))
            for one in advance_jobs(self.registry, now_us)
        ]
        return [*heard, *done, *lapsed]

    def secrets(self) -> list[tuple[str, str]]:
        known, self.registry.new_secrets = self.registry.new_secrets, []
        return known

    def _open(self, now_us: int) -> None:
        if not self._is_open:
            open_installation(self.registry, now_us)
            self.registry.store.when_settled(self._opened)

    def _opened(self, committed: bool) -> None:
        self._is_open = self._is_open or committed
