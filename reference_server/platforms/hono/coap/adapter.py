"""The CoAP adapter as one: handshakes, requests, and requests that wait for a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.platform import NOTHING, HandshakeAnswer, Reaction
from fleetrig.reference_server.platforms.hono.coap.answers import SERVER_TIME, answer, refusal
from fleetrig.reference_server.platforms.hono.coap.device_requests import CoapCall, perform
from fleetrig.reference_server.platforms.hono.coap.discovery import resources
from fleetrig.reference_server.platforms.hono.coap.handshake import judge
from fleetrig.reference_server.platforms.hono.coap.identities import Identities
from fleetrig.reference_server.platforms.hono.coap.requests import RESOURCES, segments_of
from fleetrig.reference_server.platforms.hono.coap.waiting import WaitingRequests
from fleetrig.reference_server.platforms.hono.commands.notifying import GONE, notify_undelivered
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.provisioning.service_errors import SERVICE_UNAVAILABLE
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import COAP, Denied
from fleetrig.reference_server.platforms.hono.state.registry import Notice, Registry
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Undecodable

OSCORE: Final = 9
Q_BLOCK1: Final = 19
"""Californium knows these, and looks at neither."""
PREFERRED_BLOCKS_OF_512: Final = 5
"""Its PREFERRED_BLOCK_SIZE."""
STALE_AFTER_US: Final = 1_800 * US_PER_S
"""When a DTLS connection may give way to another (DTLS_STALE_CONNECTION_THRESHOLD)."""
FLIGHT_TIMEOUT_US: Final = 2 * US_PER_S
"""`dtlsRetransmissionTimeout`."""
HANDLED: Final = frozenset({"POST", "PUT"})
WELL_KNOWN: Final = ".well-known"


def coap_rules(payload_bytes: int) -> CoapRules:
    """An empty acknowledgement after 500 ms is the default (`timeoutToAck`)."""
    return CoapRules(
        preferred_size_exponent=PREFERRED_BLOCKS_OF_512,
        is_strict=False,
        body_bytes=payload_bytes,
        limits_single_datagrams=False,
        further_options=frozenset({OSCORE, Q_BLOCK1, SERVER_TIME}),
        idle_us=STALE_AFTER_US,
        flight_timeout_us=FLIGHT_TIMEOUT_US,
    )


class CoapAdapter:
    """Sessions are endpoints; those over DTLS belong to a device."""

    def __init__(self, registry: Registry, router: CommandRouter) -> None:
        self._registry = registry
        self._router = router
        self._identities = Identities()
        self._waiting = WaitingRequests(router)

    # What fronts say

    def judge(self, session: Session, now_us: int) -> HandshakeAnswer:
        return judge(self._registry, self._identities, session, now_us)

    def opened(self, session: Session, now_us: int) -> Reaction:
        self._identities.opened(session.id)
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        match envelope:
            case CoapRequest():
                return self._answer(session, envelope, now_us)
            case Undecodable(_, why):
                return Reaction(reason=why)
        return NOTHING

    def failed(self, session: Session, envelope: Envelope, reason: str) -> Reaction:
        """The registry has failed, and nothing was kept."""
        if not isinstance(envelope, CoapRequest):
            return Reaction(reason=reason)
        return refusal(session, envelope, Denied(503, SERVICE_UNAVAILABLE, reason))

    def closed(self, session: Session, now_us: int) -> Reaction:
        self._identities.closed(session.id)
        self._waiting.end_all(session.id)
        return NOTHING

    # By itself

    def next_due_us(self) -> int | None:
        return self._waiting.next_due_us()

    def advance(self, now_us: int) -> list[Reaction]:
        return list(self._waiting.advance(now_us))

    def hear(self, notices: Iterable[Notice], now_us: int) -> list[Reaction]:
        """Commands go out with answers. DTLS sessions outlive what was done to their devices: requests are refused."""
        reactions = []
        for routed in self._router.take(COAP):
            delivered = self._waiting.deliver(routed, now_us)
            if delivered is None:
                notify_undelivered(self._registry, routed.command, GONE, now_us)
                delivered = Reaction(reason=f"command {routed.command.name} undelivered: {GONE.reason}")
            reactions.append(delivered)
        return reactions

    def _answer(self, session: Session, request: CoapRequest, now_us: int) -> Reaction:
        segments = segments_of(request)
        resource = RESOURCES.get(segments[0])
        if resource is None:
            return self._elsewhere(session, request, segments)
        if request.method not in HANDLED:
            why = f"the resource takes POST and PUT, not {request.method}"
            return refusal(session, request, Denied(405, "Error Code: 405", why))
        call = CoapCall(
            self._registry, self._router, self._waiting, session, request, resource, self._identities.of(session.id)
        )
        return perform(call, segments, now_us)

    def _elsewhere(self, session: Session, request: CoapRequest, segments: list[str]) -> Reaction:
        """What the adapter's library answers by itself: no text."""
        if segments == [WELL_KNOWN, "core"] and request.method == "GET":
            return answer(session, request, resources(request))
        if segments in ([WELL_KNOWN], [WELL_KNOWN, "core"]):
            why = f"the resource takes no {request.method}"
            return answer(session, request, CoapResponse("4.05"), reason=why)
        why = "no resource has this path: they are telemetry, event and command_response"
        return answer(session, request, CoapResponse("4.04"), reason=why)
