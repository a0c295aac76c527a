"""Requests as Californium 3 reads them, where that is another way than the RFCs' (CoapRules.is_strict).

Its parser (DataParser, UdpDataParser, StandardOptionRegistry) answers what is wrong in a confirmable request by an
acknowledgement with a text, and is silent on any other. The texts are its own.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.coap_messages.blocks import BAD_OPTION, BAD_REQUEST, Answered
from fleetrig.reference_server.coap_messages.options import (
    FORMS,
    RESERVED_SIZE_EXPONENT,
    OptionForm,
    OptionNumber,
    block_of,
)
from fleetrig.reference_server.coap_messages.wire import (
    EMPTY,
    LONGEST_TOKEN_BYTES,
    METHODS,
    MessageType,
    WireMessage,
    code_text,
)
from fleetrig.simulator.contract.coap import CoapOptions

CLASSES_OF_RESPONSES: Final = frozenset({2, 4, 5})

FURTHER_FORMS: Final = {
    8: OptionForm(0, 255, is_repeatable=True),
    9: OptionForm(0, 255),
    19: OptionForm(0, 3),
    20: OptionForm(0, 255, is_repeatable=True),
    31: OptionForm(0, 3),
    252: OptionForm(1, 40),
}
"""Of the options that it knows beside those that count."""
NAMES: Final = {
    OptionNumber.IF_MATCH: "If-Match",
    OptionNumber.URI_HOST: "Uri-Host",
    OptionNumber.ETAG: "ETag",
    OptionNumber.IF_NONE_MATCH: "If-None-Match",
    OptionNumber.OBSERVE: "Observe",
    OptionNumber.URI_PORT: "Uri-Port",
    8: "Location-Path",
    9: "Object-Security",
    OptionNumber.URI_PATH: "Uri-Path",
    OptionNumber.CONTENT_FORMAT: "Content-Format",
    OptionNumber.MAX_AGE: "Max-Age",
    OptionNumber.URI_QUERY: "Uri-Query",
    OptionNumber.ACCEPT: "Accept",
    19: "Q-Block-1",
    20: "Location-Query",
    OptionNumber.BLOCK2: "Block2",
    OptionNumber.BLOCK1: "Block1",
    OptionNumber.SIZE2: "Size2",
    31: "Q-Block-2",
    OptionNumber.PROXY_URI: "Proxy-Uri",
    OptionNumber.PROXY_SCHEME: "Proxy-Scheme",
    OptionNumber.SIZE1: "Size1",
    252: "Echo",
    OptionNumber.NO_RESPONSE: "No-Response",
    OptionNumber.REQUEST_TAG: "Request-Tag",
}


def usable_leniently(message: WireMessage, further: frozenset[int]) -> tuple[CoapOptions, Answered | None]:
    """The options that count, and what the request is answered by if one is wrong, an elective one included.

    Of one that must not be repeated the last counts. Code 0.00 stands for no answer.
    """
    options, wrong = _usable(message, further)
    if wrong is not None and message.type is MessageType.NON:
        return options, Answered(EMPTY, why=wrong.why)
    return options, wrong


def _usable(message: WireMessage, further: frozenset[int]) -> tuple[CoapOptions, Answered | None]:
    if message.code not in METHODS:
        return (), _bad(f"Unknown CoAP request code: {code_text(message.code)}")
    kept: list[tuple[int, bytes]] = []
    for option in message.options:
        number, value = option
        form = FORMS.get(number) or FURTHER_FORMS.get(number)
        if form is None:
            if number & 1 and number not in further:
                return (), _bad(f"Unknown critical option {number} is not supported!")
            if number not in further:
                continue
        elif why := _wrong_length(number, form, len(value)):
            return (), _bad(why)
        elif not form.is_repeatable and kept and kept[-1][0] == number:
            kept.pop()
        kept.append(option)
    return tuple(kept), _reserved_size(tuple(kept))


def _wrong_length(number: int, form: OptionForm, length: int) -> str:
    least, most = form.least_bytes, form.most_bytes
    if least <= length <= most:
        return ""
    if not most:
        return f"Option {NAMES[number]} value must be empty."
    return f"Option {NAMES[number]} value of {length} bytes must be in range of [{least}-{most}] bytes."


def _reserved_size(options: CoapOptions) -> Answered | None:
    for number in (OptionNumber.BLOCK1, OptionNumber.BLOCK2):
        block = block_of(options, number)
        if block is not None and block.size_exponent == RESERVED_SIZE_EXPONENT:
            return _bad(f"{NAMES[number]} BERT used for UDP!", BAD_REQUEST)
    return None


def _bad(why: str, code: int = BAD_OPTION) -> Answered:
    return Answered(code, payload=why.encode(), why=why)


def has_long_token(data: bytes) -> bool:
    """Whether a message is passed over in silence since its token length is reserved."""
    return data[0] & 0x0F > LONGEST_TOKEN_BYTES


def is_refused(message: WireMessage) -> bool:
    """Whether a non-confirmable message is answered by RST: an empty one, and a response that nobody has asked for."""
    if message.type is not MessageType.NON:
        return False
    return message.code == EMPTY or message.code >> 5 in CLASSES_OF_RESPONSES
