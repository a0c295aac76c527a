"""An HTTP client that sends exactly what it is given: no path is normalised, no header added that was not asked for.

Libraries rewrite paths, follow redirects and fill in headers; a conformance check needs none of that. So this is the
standard library's `http.client`, one connection at a time, kept alive while the server lets it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.timed_response import Deadline, timed
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench

TIMEOUT_S: Final = 60.0
REPLY_LIMIT_BYTES: Final = 64 * 1024 * 1024
CLOSED: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: header names in the server's spelling, several of one name kept."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    request: str
    """`METHOD path`, for findings."""

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises Mismatch when it is none."""
        try:
            return read_json(self.body)
        except NotJson as wrong:
            raise Mismatch(Finding(f"{self.request}: a JSON body", str(wrong))) from None


class ExactClient:
    """One keep-alive connection to one server. An answer must be whole within `within_s`."""

    def __init__(
        self, url: str, verify: ssl.SSLContext | None = None, source: str | None = None, within_s: float = TIMEOUT_S
    ) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.netloc = parts.netloc
        self.prefix = parts.path.rstrip("/")
        self.host, self._tls = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._verify = verify
        self._deadline = Deadline(within_s)
        self._source = None if source is None else (source, 0)
        self._connection: http.client.HTTPConnection | None = None
        self.last: Answer | None = None
        """What came last, for findings."""

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Sends `path` as it is (after the prefix of a proxy), reads the whole answer.

        Raises BrokenBench when there is none. A connection that the server had closed meanwhile is opened anew, once.
        """
        fresh = self._connection is None
        try:
            return self._exchange(method, self.prefix + path, headers or {}, body)
        except CLOSED as error:
            self.close()
            if fresh:
                raise self._broken(method, path, error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: chunks of a negative size
            self.close()
            raise self._broken(method, path, error) from None
        except BaseException:
            self.close()  # An answer that nobody waited for must not be taken for the next one.
            raise
        return self.call(method, path, headers, body)

    def another(self, source: str | None = None) -> ExactClient:
        """A client of the same server with a connection of its own, from this local address when one is given."""
        return ExactClient(self.url, self._verify, source, self._deadline.within_s)

    def bare_socket(self) -> socket.socket:
        """A new connection for what http.client would not send. Raises BrokenBench."""
        connection = self._connect()
        try:
            connection.connect()
        except OSError as error:
            raise self._broken("CONNECT", self.netloc, error) from None
        opened: socket.socket = connection.sock
        return opened

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        connection = self._connection = self._connection or self._connect()
        self._deadline.restart()
        names = {name.lower() for name in headers}
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read(REPLY_LIMIT_BYTES)
        if len(content) == REPLY_LIMIT_BYTES:
            raise http.client.HTTPException(f"an answer of more than {REPLY_LIMIT_BYTES >> 20} MiB")
        if response.length:  # read(n) takes an early end for the end
            raise http.client.IncompleteRead(content, response.length)
        answer = Answer(response.status, tuple(response.headers.items()), content, f"{method} {target[:200]}")
        if response.will_close:
            self.close()
        self.last = answer
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        within_s = self._deadline.within_s
        connection = (
            http.client.HTTPSConnection(
                self.host, self._port, timeout=within_s, source_address=self._source, context=self._verify
            )
            if self._tls
            else http.client.HTTPConnection(self.host, self._port, timeout=within_s, source_address=self._source)
        )
        connection.response_class = timed(self._deadline)  # type: ignore[assignment]
        return connection

    def _broken(self, method: str, path: str, error: Exception) -> BrokenBench:
        if isinstance(error, CLOSED):
            said = f"{self.url} closed the connection without an answer to {method} {path[:100]}"
            return NoAnswer.saying(said, self.url, "closed")
        match error:
            case ssl.SSLCertVerificationError():
                return BrokenBench(
                    f"the certificate of {self.url} is not trusted ({error.verify_message}): "
                    "give its CA with --ca, or say --insecure"
                )
            case ConnectionRefusedError():
                return BrokenBench(f"nobody listens at {self.url}: start the server, or check host and port")
            case socket.gaierror():
                return BrokenBench(f"the host of {self.url} is unknown: {error.strerror}")
            case TimeoutError():
                within_s = self._deadline.within_s
                return BrokenBench(f"{self.url} gave no whole answer to {method} {path[:100]} within {within_s:g} s")
            case http.client.IncompleteRead():
                return BrokenBench(f"{self.url} broke off in the middle of its answer to {method} {path[:100]}")
            case ssl.SSLError():
                said = f"{self.url} does not speak TLS as expected ({error.reason}): is it http, not https?"
                return NoAnswer.saying(said, self.url, "tls")
            case http.client.BadStatusLine():
                said = f"{self.url} does not answer in HTTP: is it https, not http?"
                return NoAnswer.saying(said, self.url, "malformed")
            case _:
                return BrokenBench(f"{self.url} cannot be used: {type(error).__name__} {error}")
