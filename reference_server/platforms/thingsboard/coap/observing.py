"""Who observes shared attributes or awaits commands: an observation for each token of each endpoint (RFC 7641)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.coap.answers import CONTENT, JSON, content_format
from fleetrig.reference_server.platforms.thingsboard.coap.paths import Feature
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.json_types import Json

SEQUENCE_NUMBERS: Final = 1 << 24
SERVICE_UNAVAILABLE: Final = "5.03"

HEARD_BY: Final = {
    NoticeKind.ATTRIBUTES_UPDATED: Feature.ATTRIBUTES,
    NoticeKind.ATTRIBUTES_DELETED: Feature.ATTRIBUTES,
    NoticeKind.RPC_REQUESTED: Feature.RPC,
}
ENDED_BY: Final = frozenset({NoticeKind.DEVICE_DELETED, NoticeKind.CREDENTIALS_CHANGED})


@dataclass(slots=True)
class Observation:
    """`sequence` is the number of its next notification, `rpc_id` of its next command."""

    session: int
    token: bytes
    device_id: str
    feature: Feature
    is_confirmable: bool
    format: int = JSON
    sequence: int = 0
    rpc_id: int = 0

    def next_sequence(self) -> int:
        sequence = self.sequence
        self.sequence = (sequence + 1) % SEQUENCE_NUMBERS
        return sequence


class Observations:
    """They end with their endpoint, when one of their messages is refused, or when the device is no longer known."""

    def __init__(self) -> None:
        self._by_token: dict[tuple[int, bytes], Observation] = {}

    def get(self, session: int, token: bytes) -> Observation | None:
        return self._by_token.get((session, token))

    def add(self, observation: Observation) -> None:
        self._by_token[observation.session, observation.token] = observation

    def end(self, session: int, token: bytes) -> bool:
        return self._by_token.pop((session, token), None) is not None

    def end_all(self, session: int) -> None:
        for key in [key for key in self._by_token if key[0] == session]:
            del self._by_token[key]

    def hear(self, notice: Notice) -> Sequence[Output]:
        """What is sent because of something that happened to a device."""
        if notice.kind in ENDED_BY:
            return list(self._ended(notice.device_id))
        feature = HEARD_BY[notice.kind]
        concerned = [one for one in self._by_token.values() if one.device_id == notice.device_id]
        return [_notification(one, notice) for one in concerned if one.feature is feature]

    def _ended(self, device_id: str) -> Iterator[Output]:
        for key, one in list(self._by_token.items()):
            if one.device_id == device_id:
                del self._by_token[key]
                yield Send(one.session, CoapResponse(SERVICE_UNAVAILABLE, token=one.token))


def as_json(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _notification(observed: Observation, notice: Notice) -> Send:
    body: dict[str, Json] = dict(notice.body)
    if observed.feature is Feature.RPC:
        body = {"id": observed.rpc_id, **body}
        observed.rpc_id += 1
    response = CoapResponse(
        CONTENT,
        as_json(body),
        content_format(observed.format),
        observed.next_sequence(),
        observed.token,
        observed.is_confirmable,
    )
    return Send(observed.session, response)
