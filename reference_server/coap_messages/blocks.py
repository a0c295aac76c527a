"""Bodies in blocks (RFC 7959): a request's are put together, an answer's are cut."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from fleetrig.reference_server.coap_messages.layer import BlockUpload, Layer, ResourceKey, Served
from fleetrig.reference_server.coap_messages.options import (
    RESERVED_SIZE_EXPONENT,
    Block,
    OptionNumber,
    first,
    uint,
    uint_bytes,
)
from fleetrig.reference_server.coap_messages.wire import code_number
from fleetrig.simulator.contract.coap import CoapOptions

CONTINUE: Final = code_number("2.31")
BAD_REQUEST: Final = code_number("4.00")
BAD_OPTION: Final = code_number("4.02")
INCOMPLETE: Final = code_number("4.08")
TOO_LARGE: Final = code_number("4.13")
ETAG_BYTES: Final = 8
SUCCESS: Final = 2
"""The class of codes that say so."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the blocks themselves are answered by; `why` only if it refuses."""

    code: int
    options: CoapOptions = ()
    payload: bytes = b""
    why: str = ""


def assemble(
    layer: Layer, key: ResourceKey, block: Block, options: CoapOptions, payload: bytes, now_us: int
) -> bytes | Answered:
    """The whole body with its last block (RFC 7959 §2.3, §2.5).

    It stays remembered until `layer.uploads` drops it: the last block may come again.
    """
    exponent = min(block.size_exponent, layer.rules.block_size_exponent)
    acknowledged = (OptionNumber.BLOCK1, Block(block.number, block.has_more, exponent).to_bytes())
    if why := _misshapen(block, payload):
        return Answered(BAD_REQUEST, why=why)
    size1 = first(options, OptionNumber.SIZE1)
    most = layer.rules.body_bytes
    if block.offset_bytes + len(payload) > most or (size1 is not None and uint(size1) > most):
        layer.uploads.drop(key)
        limit = (OptionNumber.SIZE1, uint_bytes(most))
        return Answered(TOO_LARGE, (acknowledged, limit), why=f"a body of more than {most} bytes")
    upload = BlockUpload(bytearray()) if block.number == 0 else layer.uploads.get(key, now_us)
    if upload is None or not _continues(upload.body, block, payload):
        layer.uploads.drop(key)
        return Answered(INCOMPLETE, (acknowledged,), why=f"block {block.number} without those before it")
    if not block.has_more:
        return bytes(upload.body[: block.offset_bytes]) + payload
    upload.body[block.offset_bytes :] = payload
    layer.uploads.put(key, upload, now_us, len(upload.body))
    return Answered(CONTINUE, (acknowledged,))


def _misshapen(block: Block, payload: bytes) -> str:
    if block.size_exponent == RESERVED_SIZE_EXPONENT:
        return "a block size exponent of 7, which is reserved"
    if len(payload) > block.size_bytes or (block.has_more and len(payload) < block.size_bytes):
        return f"a block of {len(payload)} bytes that says {block.size_bytes}"
    return ""


def _continues(body: bytearray, block: Block, payload: bytes) -> bool:
    """The next block, or the latest once more in a message of its own."""
    end = block.offset_bytes + len(payload)
    return block.offset_bytes == len(body) or (end == len(body) and body[block.offset_bytes :] == payload)


def is_cut(served: Served, asked: Block | None, layer: Layer) -> bool:
    """Whether the body goes out in blocks."""
    if asked is None:
        return len(served.payload) > 1 << (layer.rules.block_size_exponent + 4)
    if asked.number and (layer.rules.is_strict or served.code >> 5 == SUCCESS):
        return True
    return len(served.payload) > _served_size(asked, layer)


def cut(served: Served, asked: Block | None, layer: Layer) -> Answered:
    """The block of an answer that was asked for, or the first (RFC 7959 §2.2, §2.4, §4)."""
    size = _served_size(asked, layer)
    offset = 0 if asked is None else asked.offset_bytes
    if offset and offset >= len(served.payload):
        code = BAD_REQUEST if layer.rules.is_strict else BAD_OPTION
        return Answered(code, why=f"block {offset // size} of a body that has {len(served.payload)} bytes")
    payload = served.payload[offset : offset + size]
    block = Block(offset // size, offset + size < len(served.payload), size.bit_length() - 5)
    sizes = [(OptionNumber.SIZE2, uint_bytes(len(served.payload)))] if offset == 0 else []
    options = (*served.options, (OptionNumber.BLOCK2, block.to_bytes()), *sizes)
    return Answered(served.code, options, payload)


def with_etag(served: Served) -> Served:
    """Blocks need one, so that those of two bodies are not taken for one (RFC 7959 §2.4)."""
    if first(served.options, OptionNumber.ETAG) is not None:
        return served
    etag = blake2b(served.payload, digest_size=ETAG_BYTES).digest()
    return Served(served.code, ((OptionNumber.ETAG, etag), *served.options), served.payload)


def _served_size(asked: Block | None, layer: Layer) -> int:
    exponent = min(layer.rules.block_size_exponent, layer.rules.preferred_size_exponent)
    return 1 << (min(exponent, asked.size_exponent if asked is not None else exponent) + 4)
