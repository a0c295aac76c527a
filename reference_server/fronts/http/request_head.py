"""The head of a request as a servlet container (Tomcat 11) reads it: what it takes, and what it refuses.

Compared with a real one byte for byte: lines may end with a bare LF, a header may go on in the next line (RFC 9112
§5.2), a header may come twice unless it says where the message ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Final

from fleetrig.simulator.contract.http import Headers, HttpRequest

HEAD_BYTES: Final = 8192
"""All of a head, with the empty line."""
MAX_HEADERS: Final = 100
LENGTH_MAX: Final = 2**63 - 1
BAD_REQUEST, EXPECTATION_FAILED, NOT_IMPLEMENTED, VERSION_NOT_SUPPORTED = 400, 417, 501, 505
HTTP_1_0: Final = (1, 0)
HTTP_1_1: Final = (1, 1)
HTTP_0_9: Final = (0, 9)

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
LINE: Final = re.compile(rb"(" + TOKEN + rb"*)[ \t]+([^ \t\r\n]*)(?:[ \t]+([HTP/.0-9]*))?\r*")
START: Final = re.compile(TOKEN + rb"*(?:[ \t]|\Z)")
"""What a request line may begin with, as far as it has come."""
HEADER: Final = re.compile(rb"(" + TOKEN + rb"+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
FOLDED: Final = re.compile(rb"([ \t])[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
VERSIONS: Final = {b"": HTTP_0_9, b"HTTP/1.0": HTTP_1_0, b"HTTP/1.1": HTTP_1_1}
PREFACE: Final = b"PRI * HTTP/2.0\r\n"
"""How a client of HTTP/2 begins: it is left without a word."""
DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST: Final = re.compile(rf"(?:{LABEL}(?:\.{LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{0,9}})?", re.ASCII)
"""A name or an address, and perhaps a port."""
ABSOLUTE: Final = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#@]+)([^#]*)", re.IGNORECASE)


class Malformed(Exception):
    """What is no request that may be read. `status` 0: the client is left without an answer.

    `says_close` is whether the answer carries `Connection: close`; the connection ends in any case.
    """

    def __init__(self, status: int, reason: str, *, says_close: bool = True) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.says_close = says_close
        self.method = "GET"
        self.version = HTTP_1_1


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request without its body, and where its body ends: chunks if `length_bytes` is None."""

    method: str
    target: str
    version: tuple[int, int]
    headers: Headers = field(default=(), repr=False)
    length_bytes: int | None = 0
    keeps: bool = True
    """The connection stays open after the answer."""
    host: str = ""
    expects_continue: bool = False
    """The client waits for `100 Continue`."""
    asks_to_keep: bool = False
    """It asks by name for a connection that stays open."""
    envelopes: dict[str, HttpRequest] = field(default_factory=dict, repr=False, compare=False)
    """Scheme -> what the platform gets of it if it has no body: made once, since heads come again."""

    def envelope(self, scheme: str, local_port: int) -> HttpRequest:
        """Links are made from its scheme and authority; without a `Host` (HTTP/1.0) the authority is ours."""
        known = self.envelopes.get(scheme)
        if known is None:
            origin = f"{scheme}://{self.host or f'localhost:{local_port}'}"
            known = HttpRequest(self.method, origin, self.target, self.headers)
            if self.host:
                self.envelopes[scheme] = known
        return known


def find_head(data: bytes | bytearray) -> int:
    """The length of the head at the start of `data`, 0 while it is not whole. Raises Malformed as early as may be."""
    if (first := data.find(b"\n")) < 0:
        if START.match(data) is None:
            raise Malformed(BAD_REQUEST, _why_no_line(bytes(data[:20])))
        end = 0
    elif _is_short(bytes(data[: first + 1])):
        return first + 1
    else:
        ends = [at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := data.find(mark, first, HEAD_BYTES)) >= 0]
        end = min(ends, default=0)
    if end > HEAD_BYTES or (not end and len(data) > HEAD_BYTES):
        malformed = Malformed(BAD_REQUEST, f"the head is longer than {HEAD_BYTES} bytes")
        malformed.method = "HEAD" if data.startswith(b"HEAD ") else "GET"
        raise malformed
    return end


def _is_short(line: bytes) -> bool:
    """True for a first line after which nothing is waited for: HTTP/0.9, HTTP/2, another version, no request at all."""
    if line == PREFACE:
        return True
    found = LINE.fullmatch(line, 0, len(line) - 1)
    return found is None or VERSIONS.get(found[3] or b"") in (None, HTTP_0_9)


def parse_head(data: bytes) -> RequestHead:
    """A whole head. Raises Malformed."""
    first, _, rest = data.partition(b"\n")
    if first + b"\n" == PREFACE:
        raise Malformed(0, "a client of HTTP/2, which is not spoken here")
    line = LINE.fullmatch(first)
    if line is None:
        raise Malformed(BAD_REQUEST, _why_no_line(first))
    method, target = line[1].decode("ascii"), line[2].decode("utf-8", "surrogateescape")
    version = VERSIONS.get(line[3] or b"")
    try:
        if version is None or first.endswith(b"\r\r"):
            text = (line[3] or b"")[:20].decode("ascii")
            raise Malformed(VERSION_NOT_SUPPORTED, f"the protocol {text!r} is not spoken here", says_close=False)
        headers = _headers(rest) if rest else ()
        return _framed(method, target, version, headers)
    except Malformed as malformed:
        malformed.method = method
        malformed.version = version or HTTP_1_1
        raise


def _why_no_line(line: bytes) -> str:
    if line[:2] == b"\x16\x03":
        return "TLS came in on a port without TLS: use the https listener, or http:// in the URL"
    return f"no request line: {_beginning(line)}"


def _beginning(line: bytes) -> str:
    """A line that cannot be read up to its first word: what follows may be a credential."""
    word = re.match(rb"[^\s:]{0,60}", line)
    assert word is not None
    more = len(line.rstrip(b"\r\n")) - word.end()
    return repr(word[0]) + (f" and {more} more bytes" if more else "")


def _headers(block: bytes) -> Headers:
    found: list[tuple[str, str]] = []
    for line in block.split(b"\n"):
        line = line.removesuffix(b"\r")
        if not line:
            break
        if (header := HEADER.fullmatch(line)) is not None:
            found.append((header[1].decode("ascii"), header[2].decode("latin-1").rstrip(" \t")))
        elif found and (more := FOLDED.fullmatch(line)) is not None:
            name, value = found[-1]
            found[-1] = (name, f"{value}{more[1].decode()}{more[2].decode('latin-1')}".rstrip(" \t"))
        else:
            raise Malformed(BAD_REQUEST, f"no header: {_beginning(line)}")
    if len(found) > MAX_HEADERS:
        raise Malformed(BAD_REQUEST, f"more than {MAX_HEADERS} headers")
    return tuple(found)


def _framed(method: str, target: str, version: tuple[int, int], headers: Headers) -> RequestHead:
    if version == HTTP_0_9:
        return RequestHead(method, _origin_form(method, target, None)[0], version, (), 0, keeps=False)
    by_name: dict[str, list[str]] = {}
    for name, value in headers:
        by_name.setdefault(name.lower(), []).append(value)
    is_1_1 = version == HTTP_1_1
    tokens = {token.strip().lower() for value in by_name.get("connection", ()) for token in value.split(",")}
    keeps = "close" not in tokens and (is_1_1 or "keep-alive" in tokens)
    length_bytes: int | None = _length_bytes(by_name.get("content-length", []))
    if "transfer-encoding" in by_name:
        _check_codings(by_name["transfer-encoding"], is_1_1=is_1_1)
        keeps = keeps and "content-length" not in by_name  # the chunks count, and nobody trusts what follows
        length_bytes = None
    host = _host(by_name.get("host"), is_1_1=is_1_1)
    _check_expectation(by_name.get("expect", ["100-continue"])[0], is_1_1=is_1_1)
    target, host = _origin_form(method, target, host if is_1_1 else None) if "://" in target else (target, host)
    if target[:1] not in ("/", "*") and method != "CONNECT":
        raise Malformed(BAD_REQUEST, f"the target {target[:60]!r} is no path")
    expects = is_1_1 and "expect" in by_name
    asks = "connection" in by_name and "keep-alive" in by_name["connection"][0].lower()
    return RequestHead(method, target, version, headers, length_bytes, keeps, host, expects, asks)


def _check_expectation(expects: str, *, is_1_1: bool) -> None:
    if is_1_1 and expects.lower() != "100-continue":
        raise Malformed(EXPECTATION_FAILED, f"the expectation {expects[:60]!r} is unknown", says_close=False)


def _length_bytes(values: list[str]) -> int:
    if not values:
        return 0
    text = values[0].lstrip("0") or "0"
    if len(values) > 1 or not DIGITS.fullmatch(values[0]) or len(text) > 19 or int(text) > LENGTH_MAX:
        raise Malformed(BAD_REQUEST, f"Content-Length {', '.join(values)[:60]!r} is no length")
    return int(text)


def _check_codings(values: list[str], *, is_1_1: bool) -> None:
    """Chunks, once and last, are all that is understood (RFC 9112 §6.1)."""
    codings = [coding.strip().lower() for value in values for coding in value.split(",") if coding.strip()]
    if not is_1_1 or not codings:
        raise Malformed(BAD_REQUEST, "Transfer-Encoding in HTTP/1.0, or an empty one")
    for place, coding in enumerate(codings):
        if not re.fullmatch(TOKEN.decode() + "+", coding) or (place > 0 and codings[place - 1] == "chunked"):
            raise Malformed(BAD_REQUEST, f"Transfer-Encoding {coding[:40]!r} where there may be none")
        if coding != "chunked":
            raise Malformed(NOT_IMPLEMENTED, f"the transfer coding {coding[:40]!r} is unknown")


def _host(values: list[str] | None, *, is_1_1: bool) -> str:
    if values is None:
        if is_1_1:
            raise Malformed(BAD_REQUEST, "there is no Host header")
        return ""
    if len(values) > 1 or (values[0] and not is_host(values[0])):
        raise Malformed(BAD_REQUEST, f"the Host header {_without_user(', '.join(values))[:100]!r} is no host")
    return values[0]


def _without_user(authority: str) -> str:
    """User and password of an authority are nobody's business."""
    return authority.rpartition("@")[2]


def is_host(text: str) -> bool:
    """True for what a servlet container takes as a name or an address, with or without a port."""
    if HOST.fullmatch(text) is None:
        return False
    return not text.startswith("[") or _is_ipv6(text[1 : text.index("]")])


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _origin_form(method: str, target: str, host: str | None) -> tuple[str, str]:
    """(path and query, host) of a target with a whole URL in it, whose host must be the one of the `Host` header."""
    found = ABSOLUTE.match(target)
    if found is None:
        if target[:1] == "/" or (target == "*" and method == "OPTIONS"):
            return target, ""
        raise Malformed(BAD_REQUEST, f"the target {target[:60]!r} is neither a path nor an http URL")
    authority, rest = found[1], target[found.start(2) :]
    if not is_host(authority) or (host and authority.lower() != host.lower()):
        names = _without_user(authority)[:60]
        raise Malformed(BAD_REQUEST, f"the URL names {names!r}, the Host header {(host or '')[:60]!r}")
    return rest if rest.startswith("/") else "/" + rest, authority
