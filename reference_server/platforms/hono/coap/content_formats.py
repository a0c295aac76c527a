"""Numbers of content formats and the media types that they stand for (MediaTypeRegistry of Californium 3.14)."""

from __future__ import annotations

from typing import Final

MEDIA_TYPES: Final = {
    0: "text/plain",
    16: 'application/cose; cose-type="cose-encrypt0"',
    17: 'application/cose; cose-type="cose-mac0"',
    18: 'application/cose; cose-type="cose-sign1"',
    19: "application/ace+cbor",
    21: "image/gif",
    22: "image/jpeg",
    23: "image/png",
    40: "application/link-format",
    41: "application/xml",
    42: "application/octet-stream",
    46: "application/xmpp+xml",
    47: "application/exi",
    50: "application/json",
    51: "application/json-patch+json",
    52: "application/merge-patch+json",
    60: "application/cbor",
    61: "application/cwt",
    62: "application/multipart-core",
    63: "application/cbor-seq",
    96: 'application/cose; cose-type="cose-encrypt"',
    97: 'application/cose; cose-type="cose-mac"',
    98: 'application/cose; cose-type="cose-sign"',
    101: "application/cose-key",
    102: "application/cose-key-set",
    110: "application/senml+json",
    111: "application/sensml+json",
    112: "application/senml+cbor",
    113: "application/sensml+cbor",
    114: "application/senml+exi",
    115: "application/sensml+exi",
    256: "application/coap-group+json",
    271: "application/dots+cbor",
    272: "application/missing-blocks+cbor-seq",
    280: 'application/pkcs7-mime; smime-type="server-generated-key"',
    281: 'application/pkcs7-mime; smime-type="certs-only"',
    284: "application/pkcs8",
    285: "application/csattrs",
    286: "application/pkcs10",
    287: "application/pkix-cert",
    310: "application/senml+xml",
    311: "application/sensml+xml",
    320: "application/senml-etch+json",
    322: "application/senml-etch+cbor",
    432: "application/td+json",
    10000: "application/vnd.ocf+cbor",
    10001: "application/oscore",
    10002: "application/javascript",
    11542: "application/vnd.oma.lwm2m+tlv",
    11543: "application/vnd.oma.lwm2m+json",
    11544: "application/vnd.oma.lwm2m+cbor",
    20000: "text/css",
    30000: "image/svg+xml",
}
NUMBERS: Final = {media_type.lower(): number for number, media_type in MEDIA_TYPES.items()}


def media_type_of(content_format: int) -> str:
    return MEDIA_TYPES.get(content_format) or f"unknown/{content_format}"


def content_format_of(media_type: str) -> int | None:
    """None for one that has no number: then it is not told."""
    return NUMBERS.get(media_type.lower())
