"""One request and its answer, over HTTP and over CoAP."""

from __future__ import annotations

import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from itertools import count
from typing import Any, Final

import aiocoap  # type: ignore[import-untyped]

from fleetrig.simulator.contract.identity import TlsCredential
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.dtls_client import DtlsClient
from tests.coap.bench import ACK, CON, NON, message
from tests.golden.hono_player.certificates import alert_in

LIMIT_S: Final = 20.0
DATAGRAM_BYTES: Final = 65_536
MESSAGE_IDS: Final = count(1)

Answer = dict[str, Any]


class HttpPeer:
    """One connection for one request, whose answer may be read later. Raises ssl.SSLError for a failed handshake."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, server_name: str | None = None) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        self._connection.connect()
        if tls is not None:
            try:
                self._connection.sock = tls.wrap_socket(self._connection.sock, server_hostname=server_name)
            except OSError:
                self._connection.close()
                raise

    def close(self) -> None:
        self._connection.close()

    def say(self, request: dict[str, Any]) -> None:
        """A body that is a text is sent as it is, anything else as JSON."""
        body = request.get("body")
        content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = dict(request.get("headers") or {})
        if request.get("basic"):
            headers["Authorization"] = f"Basic {b64encode(request['basic'].encode()).decode()}"
        if content or request["method"] in ("POST", "PUT"):
            headers["Content-Length"] = str(len(content))
        self._connection.putrequest(request["method"], request["path"], skip_accept_encoding=True)
        for name, value in headers.items():
            self._connection.putheader(name, value)
        with suppress(ConnectionError):  # who is refused while still talking hears why
            self._connection.endheaders(content)

    def hear(self) -> Answer:
        """`headers`: lower case -> all its values."""
        try:
            response = self._connection.getresponse()
            data = response.read()
        finally:
            self._connection.close()
        said: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            said.setdefault(name.lower(), []).append(value)
        return {"status": response.status, "headers": said, "text": data.decode()}


def ask_http(
    port: int, request: dict[str, Any], tls: ssl.SSLContext | None = None, server_name: str | None = None
) -> Answer:
    try:
        peer = HttpPeer(port, tls, server_name)
    except ssl.SSLError as refused:
        return {"tls_alert": alert_in(refused).replace(" ", "_")}
    peer.say(request)
    return peer.hear()


def ask_coap(port: int, request: dict[str, Any], shown: TlsCredential | None, settle: Callable[[], None]) -> Answer:
    """A request over a DTLS association of its own, to `localhost`. `settle` lets the server do all that it has to:
    what has not come by then does not come."""
    client = DtlsClient(ClientTls(False).of(shown), "localhost")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.connect(("127.0.0.1", port))
        network.setblocking(False)
        try:
            client.start()
            _carry(client, network, settle)
            if not client.is_open:
                return {"code": None, "alert": None}
            sent = datagram_of(request)
            client.send(sent)
            answers = [aiocoap.Message.decode(came) for came in _carry(client, network, settle)]
        except ssl.SSLError as refused:
            return {"code": None, "alert": alert_in(refused) or str(refused)}
        finally:
            client.say_goodbye()
            for datagram in client.outgoing():
                with suppress(ConnectionError):
                    network.send(datagram)
    codes = [answer.code.dotted for answer in answers if int(answer.code)]
    return {"code": codes[0] if codes else None, "alert": None}


def datagram_of(request: dict[str, Any]) -> bytes:
    fields: dict[str, Any] = {"payload": (request.get("body") or "").encode()}
    if request.get("contentFormat") is not None:
        fields["content_format"] = int(request["contentFormat"])
    kind = {"CON": CON, "NON": NON}[request["type"]]
    return message(kind, getattr(aiocoap, request["method"]), next(MESSAGE_IDS), uri=request["path"], **fields)


def _carry(client: DtlsClient, network: socket.socket, settle: Callable[[], None]) -> list[bytes]:
    """Datagrams to and fro until nobody has anything to say: what the server's application said."""
    said: list[bytes] = []
    while True:
        for datagram in client.outgoing():
            with suppress(ConnectionError):
                network.send(datagram)
        settle()
        came = False
        with suppress(BlockingIOError):
            while True:
                datagram = network.recv(DATAGRAM_BYTES)
                came = True
                for answer in client.take(datagram):
                    said.append(answer)
                    acknowledge(client, answer)
        if not came:
            return said


def acknowledge(client: DtlsClient, answer: bytes) -> None:
    read = aiocoap.Message.decode(answer)
    if read.mtype is CON:
        client.send(message(ACK, 0, read.mid, token=b""))
