"""Control messages as a test wants them: unsigned, wrongly signed, sent twice. Only who tests the server can send them.

They go out like any request of the server, and a reply to one is heard like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleetrig.reference_server.northbound import CommandRefused, NorthboundCommand
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER
from fleetrig.reference_server.platforms.kura.device_management.control_calls import ControlCalls, topic_below
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import CallResult, Settle
from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, ValueType, string
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.signing.signer import signed
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_name
from fleetrig.reference_server.platforms.kura.state.certificates import key_of, signing_certificate
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.certificates.keys import SigningKey
from fleetrig.simulator.contract.clock import US_PER_MS

COMMAND: Final = "control"
"""The name of the command by which they are asked for."""
WORDS: Final = ("app", "method", "resource", "metrics", "body", "signature", "requester")
METHODS: Final = ("GET", "PUT", "POST", "DEL", "EXEC")
OLD_MS: Final = 3_600_000
"""So long ago an old signature was made: gateways take none of more than five minutes (3.6)."""
OTHER_ALIAS: Final = "dm-of-nobody"
ADDED: Final = b" "
SEED_BYTES: Final = 32
MOST_CHARS: Final = 65_536
MOST_INT32: Final = (1 << 31) - 1
LONG_METRICS: Final = frozenset({"job.id"})


class Signature(StrEnum):
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    WRONG = "wrong"
    """By a key that nobody knows, under the right alias."""
    REPLAYED = "replayed"
    """The last one that the device was sent, once more."""
    OLD = "old"
    CHANGED_BODY = "changed_body"
    """Changed after it was signed."""
    UNKNOWN_ALIAS = "unknown_alias"


@dataclass(frozen=True, slots=True)
class OddMessage:
    """`requester` is what `requester.client.id` says; replies come only if it is the server's own."""

    call: DeviceCall
    signature: Signature
    requester: str


@dataclass(slots=True)
class OddMessages:
    """Of one platform."""

    registry: Registry
    calls: ControlCalls
    _last: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Account and client id -> what was sent last."""

    def send(self, command: NorthboundCommand, now_us: int) -> str:
        """Nobody waits for an answer here: the trace tells it. Raises CommandRefused."""
        message = self._read(command)
        key = message.call.scope_id, message.call.client_id
        if message.signature is Signature.REPLAYED and key not in self._last:
            raise CommandRefused(f"{message.call.client_id} was sent nothing that could be sent again: send it first")

        def write(live: LiveClient, request_id: str, at_us: int) -> bytes:
            if message.signature is not Signature.REPLAYED:
                self._last[key] = self._written(message, live, request_id, at_us)
            return self._last[key]

        if not self.calls.tell(message.call, write, _settling(message.call), now_us):
            raise CommandRefused(f"{message.call.client_id} is not connected")
        return ""

    def _written(self, message: OddMessage, live: LiveClient, request_id: str, now_us: int) -> bytes:
        call, now_ms = message.call, now_us // US_PER_MS
        own = {"request.id": string(request_id), "requester.client.id": string(message.requester)}
        payload = KuraPayload(now_ms, metrics={**call.metrics, **own}, body=call.body)
        if message.signature is Signature.UNSIGNED:
            return encode(payload)
        key, alias = self._signer(message.signature, live.scope_id, now_us)
        at_ms = now_ms - OLD_MS if message.signature is Signature.OLD else now_ms
        sealed = signed(payload, key, alias, topic_below(call), live.client_id, at_ms)
        if message.signature is Signature.CHANGED_BODY:
            sealed = replace(sealed, body=(sealed.body or b"") + ADDED)
        return encode(sealed)

    def _signer(self, signature: Signature, scope_id: str, now_us: int) -> tuple[SigningKey, str]:
        certificate = signing_certificate(self.registry, scope_id, now_us)
        alias = OTHER_ALIAS if certificate is None else certificate.name
        if certificate is None or signature is Signature.WRONG:
            seed = bytes.fromhex(self.registry.entropy.token_hex(SEED_BYTES))
            return Ed25519PrivateKey.from_private_bytes(seed), alias
        return key_of(certificate.key_pem), OTHER_ALIAS if signature is Signature.UNKNOWN_ALIAS else alias

    def _read(self, command: NorthboundCommand) -> OddMessage:
        """Raises CommandRefused."""
        if command.name != COMMAND:
            raise CommandRefused(f"there is no command {command.name[:80]!r}; there is {COMMAND}")
        account = account_by_name(self.registry, command.tenant)
        if account is None:
            raise CommandRefused(f"there is no account {command.tenant[:80]!r}")
        asked = _document(command.payload)
        method = _text(asked, "method", "GET")
        if method not in METHODS:
            raise CommandRefused(f"method: expected {', '.join(METHODS)}, got {method[:80]!r}")
        try:
            signature = Signature(_text(asked, "signature", Signature.SIGNED))
        except ValueError:
            raise CommandRefused(f"signature: expected {', '.join(Signature)}") from None
        body = _text(asked, "body", "")
        call = DeviceCall(
            account.id,
            command.device,
            _text(asked, "app", ""),
            method,
            _text(asked, "resource", ""),
            _metrics(asked.get("metrics") or {}),
            body.encode(errors="replace") if body else None,
            self.registry.settings.call_timeout_s * 1_000,
        )
        return OddMessage(call, signature, _text(asked, "requester", REQUESTER))


def _document(payload: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(payload or b"{}")
        json.dumps(document, ensure_ascii=False).encode()  # half a character (a lone surrogate) is no text
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise CommandRefused("the payload of the command is no JSON object")
    if unknown := next((word for word in document if word not in WORDS), None):
        raise CommandRefused(f"{unknown[:80]!r} is not known here; known is {', '.join(WORDS)}")
    return document


def _text(asked: Mapping[str, Any], word: str, otherwise: str) -> str:
    value = asked.get(word, otherwise)
    if not isinstance(value, str) or len(value) > MOST_CHARS:
        raise CommandRefused(f"{word}: expected a text of at most {MOST_CHARS:,} characters")
    return value


def _metrics(asked: Any) -> dict[str, Metric]:
    if not isinstance(asked, dict):
        raise CommandRefused("metrics: expected an object")
    return {name: _metric(name, value) for name, value in asked.items()}


def _metric(name: str, value: Any) -> Metric:
    match value:
        case bool():
            return Metric(ValueType.BOOL, value)
        case int() if name not in LONG_METRICS and abs(value) <= MOST_INT32:
            return Metric(ValueType.INT32, value)
        case int() if abs(value) < 1 << 63:
            return Metric(ValueType.INT64, value)
        case float():
            return Metric(ValueType.DOUBLE, value)
        case str():
            return string(value)
        case _:
            raise CommandRefused(f"metrics: {name[:80]!r} has a value that no metric can have")


def _settling(call: DeviceCall) -> Settle:
    def settle(result: CallResult) -> Reaction:
        if result.reply is None:
            return Reaction(reason=f"{topic_below(call)}: {result.end}, no reply", device=call.client_id)
        code = result.reply.response_code
        return Reaction(device=call.client_id, changed=f"{topic_below(call)} answered {code}")

    return settle
