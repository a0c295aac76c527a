"""The contract's CoAP envelopes and aiocoap's messages, each made of the other.

Options go and come as numbers and bytes. Those that a field of the envelope stands for are made of it: Uri-Host and
Uri-Port of the origin, Uri-Path and Uri-Query of the target (RFC 7252 §6.4), Observe (RFC 7641). Those of a blockwise
transfer are aiocoap's own business: an envelope always holds a whole body.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from aiocoap import CON, Message, Reliable, TransportTuning, Unreliable  # type: ignore[import-untyped]
from aiocoap.numbers import Code, OptionNumber  # type: ignore[import-untyped]
from aiocoap.optiontypes import OpaqueOption  # type: ignore[import-untyped]

from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.transports.coap_format import LONGEST_TOKEN_BYTES, check_format

URI_HOST: Final = 3
OBSERVE: Final = 6
URI_PATH: Final = 11
URI_QUERY: Final = 15
OF_BLOCKWISE: Final = frozenset({23, 27, 28, 60})
"""Block2, Block1, Size2, Size1 (RFC 7959)."""
PARSED: Final = frozenset({OBSERVE, *OF_BLOCKWISE})
"""aiocoap reads these itself."""
METHODS: Final = {
    "GET": Code.GET,
    "POST": Code.POST,
    "PUT": Code.PUT,
    "DELETE": Code.DELETE,
    "FETCH": Code.FETCH,
    "PATCH": Code.PATCH,
    "IPATCH": Code.iPATCH,
}
RELIABLE: Final = Reliable()
UNRELIABLE: Final = Unreliable()


def message_of(request: CoapRequest, tuning: TransportTuning = RELIABLE) -> Message:
    """The request as aiocoap sends it, CON with the timers of `tuning`. Raises ModelError for what CoAP cannot say."""
    if request.method not in METHODS:
        raise ModelError(f"CoAP has no method {request.method}")
    if len(request.token) > LONGEST_TOKEN_BYTES:
        raise ModelError(f"{request.line}: a token has at most {LONGEST_TOKEN_BYTES} bytes (RFC 7252 §3)")
    message = Message(
        code=METHODS[request.method],
        payload=request.payload,
        transport_tuning=tuning if request.confirmable else UNRELIABLE,
    )
    message.token = request.token
    for number, value in _options_of(request):
        message.opt.add_option(_option(number, value))
    if request.observe is not None:
        message.opt.observe = request.observe
    return message


def response_of(message: Message, token: bytes) -> CoapResponse:
    """What came, as the answer to the request with this token: a transfer in blocks has others of its own."""
    return CoapResponse(
        code=message.code.dotted,
        payload=message.payload,
        options=_shown(message),
        observe=message.opt.observe,
        token=token,
        confirmable=message.mtype is CON,
    )


def decoded(datagram: bytes, remote: Any) -> Message:
    """A message that came. Raises aiocoap's UnparsableMessage, or ValueError."""
    check_format(datagram)
    return Message.decode(datagram, remote=remote)


def _options_of(request: CoapRequest) -> Iterator[tuple[int, bytes]]:
    given = {number for number, _ in request.options}
    host = urlsplit(request.origin).hostname or ""
    if URI_HOST not in given and not _is_address(host):
        yield URI_HOST, host.encode()
    if request.path not in ("", "/"):
        yield from ((URI_PATH, unquote_to_bytes(part)) for part in request.path.removeprefix("/").split("/"))
    if request.query:
        yield from ((URI_QUERY, unquote_to_bytes(part)) for part in request.query.split("&"))
    yield from request.options


def _option(number: int, value: bytes) -> Any:
    """As aiocoap keeps it: only what it has to understand is parsed, so that all else goes out as it is."""
    if number in PARSED:
        return OptionNumber(number).create_option(decode=value)
    return OpaqueOption(OptionNumber(number), value)


def _shown(message: Message) -> CoapOptions:
    options = ((int(option.number), option.encode()) for option in message.opt.option_list())
    return tuple((number, value) for number, value in options if number not in PARSED)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
