"""A request as platforms get it, or what it is answered by before any platform sees it (RFC 7252 §5, RFC 7959 §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fleetrig.reference_server.coap_messages.blocks import (
    BAD_OPTION,
    BAD_REQUEST,
    INCOMPLETE,
    TOO_LARGE,
    Answered,
    assemble,
    cut,
)
from fleetrig.reference_server.coap_messages.layer import Exchange, Layer, ResourceKey
from fleetrig.reference_server.coap_messages.lenient_uploads import assemble_leniently
from fleetrig.reference_server.coap_messages.options import (
    RESERVED_SIZE_EXPONENT,
    Block,
    OptionNumber,
    block_of,
    first,
    uint,
    uint_bytes,
    without,
)
from fleetrig.reference_server.coap_messages.wire import METHODS, MessageType, WireMessage, code_number
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest
from fleetrig.simulator.contract.session import Session

NO_PROXY: Final = code_number("5.05")

GET: Final = 1
OBSERVABLE: Final = frozenset({1, 5})
"""GET and FETCH (RFC 7641 §2, RFC 8132 §2.4)."""

IN_PATHS: Final = "!$&'()*+,;=:@"
IN_QUERIES: Final = "!$'()*+,;=:@/?"
"""What stands in them as it is, beside letters, digits and `-._~` (RFC 7252 §6.5)."""

IN_FIELDS: Final = frozenset({OptionNumber.URI_PATH, OptionNumber.URI_QUERY, OptionNumber.OBSERVE})
OF_BLOCKS: Final = frozenset({OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.SIZE1, OptionNumber.SIZE2})
"""A platform sees whole bodies."""

NOT_IN_KEY: Final = OF_BLOCKS | {OptionNumber.OBSERVE, OptionNumber.ETAG}
IN_LENIENT_KEY: Final = frozenset(
    {OptionNumber.URI_HOST, OptionNumber.URI_PORT, OptionNumber.URI_PATH, OptionNumber.URI_QUERY}
)
"""Where rules are not strict, blocks belong together by their method and URI."""


@dataclass(slots=True)
class PendingRequest:
    """A request that waits for its answer."""

    message_id: int
    token: bytes
    is_confirmable: bool
    exchange: Exchange
    resource: ResourceKey
    block1: Block | None
    block2: Block | None
    observe: int | None
    unwanted: int = 0
    """Bit N - 1: no answer of class N is wanted (No-Response, RFC 7967); where rules are not strict."""
    is_acknowledged: bool = False


def pending(
    message: WireMessage, options: CoapOptions, exchange: Exchange, session: int, *, is_strict: bool
) -> PendingRequest:
    """An acknowledgement with the code of a request is none where rules are strict."""
    in_key = without(options, NOT_IN_KEY) if is_strict else [one for one in options if one[0] in IN_LENIENT_KEY]
    return PendingRequest(
        message.message_id,
        message.token,
        message.type is not MessageType.NON,
        exchange,
        (session, message.code, hash(tuple(in_key))),
        block_of(options, OptionNumber.BLOCK1),
        block_of(options, OptionNumber.BLOCK2),
        _observe(message, options),
        0 if is_strict else uint(first(options, OptionNumber.NO_RESPONSE) or b""),
    )


def understood(
    layer: Layer, session: Session, message: WireMessage, options: CoapOptions, request: PendingRequest, now_us: int
) -> CoapRequest | Answered:
    """The request with its whole body, or what its blocks, its options or its size are answered by."""
    is_strict = layer.rules.is_strict
    if is_strict and any(
        first(options, number) is not None for number in (OptionNumber.PROXY_URI, OptionNumber.PROXY_SCHEME)
    ):
        return Answered(NO_PROXY, why="this is no proxy")
    if (further := _further_block(layer, request, now_us)) is not None:
        return further
    payload: bytes | Answered = message.payload
    if request.block1 is not None:
        take = assemble if is_strict else assemble_leniently
        payload = take(layer, request.resource, request.block1, options, message.payload, now_us)
    elif layer.rules.limits_single_datagrams and len(message.payload) > (most := layer.rules.body_bytes):
        payload = Answered(
            TOO_LARGE, ((OptionNumber.SIZE1, uint_bytes(most)),), why=f"a body of more than {most} bytes"
        )
    if isinstance(payload, Answered):
        return payload
    try:
        errors = "strict" if is_strict else "replace"
        return _to_envelope(message, options, session, payload, request.observe, errors)
    except UnicodeDecodeError:
        return Answered(BAD_OPTION, why="an Uri option that is no UTF-8")


def _further_block(layer: Layer, request: PendingRequest, now_us: int) -> Answered | None:
    """A block of a body that is being fetched; a GET for one that is gone asks the platform again."""
    block = request.block2
    if block is None:
        return None
    if block.size_exponent == RESERVED_SIZE_EXPONENT:
        return Answered(BAD_REQUEST, why="a block size exponent of 7, which is reserved")
    if block.number == 0:
        return None
    body = layer.bodies.get(request.resource, now_us)
    if body is not None:
        return cut(body, block, layer)
    _, method, _ = request.resource
    return (
        None
        if method == GET or not layer.rules.is_strict
        else Answered(INCOMPLETE, why=f"block {block.number} of an answer that is gone")
    )


def _observe(message: WireMessage, options: CoapOptions) -> int | None:
    """0 registers, 1 takes it back; other values and methods do neither (RFC 7641 §2)."""
    value = first(options, OptionNumber.OBSERVE) if message.code in OBSERVABLE else None
    return uint(value) if value is not None and uint(value) in (0, 1) else None


def _to_envelope(
    message: WireMessage, options: CoapOptions, session: Session, payload: bytes, observe: int | None, errors: str
) -> CoapRequest:
    """Raises UnicodeDecodeError for an Uri option that is no UTF-8, unless `errors` is `replace`."""
    segments, queries, others = [], [], []
    host, port = session.server_name or "localhost", session.local_port
    for option in options:
        number, value = option
        if number == OptionNumber.URI_PATH:
            segments.append(quote(value.decode(errors=errors), safe=IN_PATHS))
        elif number == OptionNumber.URI_QUERY:
            queries.append(quote(value.decode(errors=errors), safe=IN_QUERIES))
        elif number not in IN_FIELDS and number not in OF_BLOCKS:
            others.append(option)
        if number == OptionNumber.URI_HOST:
            host = quote(value.decode(errors=errors), safe=IN_PATHS + "[]")
        elif number == OptionNumber.URI_PORT:
            port = uint(value)
    path = "/" + "/".join(segments)
    return CoapRequest(
        METHODS.get(message.code) or f"0.{message.code:02}",
        f"{'coaps' if session.tls else 'coap'}://{host}:{port}",
        f"{path}?{'&'.join(queries)}" if queries else path,
        payload,
        tuple(others),
        observe,
        message.token,
        message.type is MessageType.CON,
    )
