"""Which requests a second look finds, and which stay malformed."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.fronts.http.lenient_parse import lenient_parse
from fleetrig.simulator.contract.http import HttpRequest

H = b"Host: h\r\n"


def test_a_request_with_its_body() -> None:
    data = b"BREW /p\xc3\xb6t?x HTTP/1.1\r\nHost: h\r\nA:b \r\nContent-Length: 2\r\n\r\nhi and more"
    headers = (("Host", "h"), ("A", "b"), ("Content-Length", "2"))
    assert lenient_parse(data) == HttpRequest("BREW", "", "/pöt?x", headers, b"hi")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BREW / HTTP/1.1\r\n" + H,
        b"BREW / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/2.0\r\n" + H + b"\r\n",
        b"BREW  / HTTP/1.1\r\n" + H + b"\r\n",
        b"BREW x HTTP/1.1\r\n" + H + b"\r\n",
        b"BR(W / HTTP/1.1\r\n" + H + b"\r\n",
        b"B" * 65 + b" / HTTP/1.1\r\n" + H + b"\r\n",
        b"BREW / HTTP/1.1\n" + H + b"\r\n",
        b"BREW / HTTP/1.1\r\n" + H + H + b"\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"bad header\r\n\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"X : y\r\n\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"X: a\0b\r\n\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"X: y\r\n" * 100 + b"\r\n",
        b"BREW /" + b"a" * 8200 + b" HTTP/1.1\r\n" + H + b"\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"X: " + b"a" * 8200 + b"\r\n\r\n",
        b"BREW / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nab",
        b"BREW / HTTP/1.1\r\n" + H + b"Content-Length: +2\r\n\r\nab",
        b"BREW / HTTP/1.1\r\n" + H + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"BREW / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_no_request(data: bytes) -> None:
    assert lenient_parse(data) is None
