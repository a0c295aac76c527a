"""Bodies of requests in blocks as Californium 3 puts them together (BlockwiseLayer, Block1BlockwiseStatus).

Each block continues where the one before has ended, whatever its size; every mistake forgets those before it. The texts
are its own.
"""

from __future__ import annotations

from fleetrig.reference_server.coap_messages.blocks import (
    CONTINUE,
    INCOMPLETE,
    TOO_LARGE,
    Answered,
)
from fleetrig.reference_server.coap_messages.layer import BlockUpload, Layer, ResourceKey
from fleetrig.reference_server.coap_messages.options import Block, OptionNumber, first, uint, uint_bytes
from fleetrig.reference_server.coap_messages.wire import EMPTY
from fleetrig.simulator.contract.coap import CoapOptions


def assemble_leniently(
    layer: Layer, key: ResourceKey, block: Block, options: CoapOptions, payload: bytes, now_us: int
) -> bytes | Answered:
    """The whole body with its last block. Nothing comes of a block that is larger than it says: code 0.00."""
    if len(payload) > block.size_bytes:
        why = f"Message with {len(payload)} bytes payload exceeds the blocksize of {block.size_bytes} bytes!"
        return Answered(EMPTY, why=why)
    size1, most = first(options, OptionNumber.SIZE1), layer.rules.body_bytes
    if size1 is not None and uint(size1) > most:
        limit = (OptionNumber.SIZE1, uint_bytes(most))
        return _refused(TOO_LARGE, f"body too large, max. {most} bytes", (limit,))
    content_format = first(options, OptionNumber.CONTENT_FORMAT)
    upload = layer.uploads.get(key, now_us) if block.number else None
    if upload is None:
        upload = BlockUpload(bytearray(), content_format, most if size1 is None else uint(size1))
    if refused := _added(upload, block, content_format, payload):
        layer.uploads.drop(key)
        return refused
    if not block.has_more:
        layer.uploads.drop(key)
        return bytes(upload.body)
    layer.uploads.put(key, upload, now_us, len(upload.body))
    exponent = min(block.size_exponent, layer.rules.preferred_size_exponent)
    asked = Block(block.offset_bytes >> (exponent + 4), has_more=True, size_exponent=exponent)
    return Answered(CONTINUE, ((OptionNumber.BLOCK1, asked.to_bytes()),))


def _added(upload: BlockUpload, block: Block, content_format: bytes | None, payload: bytes) -> Answered | None:
    """Why it cannot be added; None when it was."""
    at = len(upload.body)
    if content_format != upload.content_format:
        return _refused(INCOMPLETE, "unexpected Content-Format")
    if block.offset_bytes != at:
        why = f"request block1 offset {block.offset_bytes} doesn't match the current position {at}!"
        return _refused(INCOMPLETE, why)
    if len(payload) > (left := upload.most_bytes - at):
        return _refused(TOO_LARGE, f"response {len(payload)} exceeds the left buffer {left}")
    upload.body += payload
    if block.has_more and len(payload) % block.size_bytes:
        why = f"Block1 buffer position {len(upload.body)} doesn't align with blocksize {block.size_bytes}!"
        return _refused(INCOMPLETE, why)
    return None


def _refused(code: int, why: str, options: CoapOptions = ()) -> Answered:
    return Answered(code, options, why.encode(), why)
