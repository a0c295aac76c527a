"""An HTTP API of a server as an operator uses it: each call a generator of Asks, so it runs in virtual and real time.

What all platforms' admin clients need: a request with an account, sentences for every way to get no answer, JSON and
its parts. Raises `BrokenBench` with the first cause when the server cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from fleetrig.harness.servers.json_answer import NotJson, beginning, read_json
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.contract.http import Body, BodyPart, Headers, HttpRequest, HttpResponse, split_url
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, NoReply, Reply

P = TypeVar("P")

ADMIN_WITHIN_S: Final = 30.0
FIRST_ANSWER_WITHIN_S: Final = 5.0
"""Timeout for the first answer of a server."""
SLOWEST_UPLOAD_BYTES_PER_S: Final = 256 * 1024
"""A file may take as long as that, beside what every answer may take."""

NO_ANSWER: Final = {
    "refused": "nobody listens at {url} (connection refused): is it running, and is the port right?",
    "timeout": "{url} does not answer: is the address right?",
    "tls": "{url} shows a certificate that nobody here trusts, or speaks no TLS: --ca FILE names its authority",
    "unreachable": "{url} cannot be reached: is the name right and the network up?",
    "malformed": "{url} sent nothing in HTTP that could be read, or an answer of more than 4 MiB: "
    "are scheme and port right?",
}
"""Sentences for the words of `NoReply`."""

SHOWN_OF_REFUSAL: Final = 300

KINDS: Final = {dict: "object", list: "list", str: "text", int: "number"}


def upload_within_s(content: BodyPart) -> float:
    """How long the answer to an upload may take."""
    return ADMIN_WITHIN_S + len(content) / SLOWEST_UPLOAD_BYTES_PER_S


def why_no_answer(url: str, why: str) -> str:
    """A sentence about a server that gave none; `why` is a word of `NoReply`."""
    otherwise = f"whatever listens at {{url}} does not answer HTTP ({why}): are scheme and port right?"
    return NO_ANSWER.get(why, otherwise).format(url=url)


class NoAnswer(BrokenBench):
    """The server is unreachable or does not speak the protocol: further requests are pointless."""


class OtherStatus(BrokenBench):
    """A status that was not expected."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class HttpAdmin:
    """An operator's account on one server. `url` may hold a path, as behind a reverse proxy."""

    def __init__(self, url: str, account: UserPassword, tenant: str, *, server: str, api: str) -> None:
        """`server`: what the server should be, for sentences; `api`: the path before every call."""
        self.url = url.rstrip("/")
        self.account = account
        self.tenant = tenant
        self._server = server
        self._origin, prefix = split_url(self.url)
        self._api = prefix.rstrip("/") + api

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return basic_authorization(self.account.user, self.account.password)

    def secrets(self) -> Iterator[tuple[str, str]]:
        """(kind, value) of secrets that must not appear in a trace."""
        yield "password", self.authorization.rpartition(" ")[2]

    def request(self, method: str, path: str, body: object = None, headers: Headers = ()) -> HttpRequest:
        """A JSON request to the API."""
        own: Headers = (("Authorization", self.authorization), ("Accept", "application/json"), *headers)
        if body is None:
            return HttpRequest(method, self._origin, self._api + path, own)
        own = (*own, ("Content-Type", "application/json"))
        return HttpRequest(method, self._origin, self._api + path, own, json.dumps(body).encode())

    def upload(self, path: str, content_type: str, body: Body) -> HttpRequest:
        """A POST with a body that is not JSON."""
        headers: Headers = (("Authorization", self.authorization), ("Content-Type", content_type))
        return HttpRequest("POST", self._origin, self._api + path, headers, body)

    def send(self, request: HttpRequest, within_s: float = ADMIN_WITHIN_S) -> AdminCall[HttpResponse]:
        """Returns any answer. Raises BrokenBench if there is none or the account is not accepted."""
        answer = yield Ask("admin", request, within_s)
        match answer:
            case Reply(HttpResponse(status=401)):
                raise BrokenBench(self._why_not_let_in())
            case Reply(HttpResponse() as response) if 300 <= response.status < 400:
                raise BrokenBench(f"{self.url} redirects to {response.header('Location')}: give that address instead")
            case Reply(HttpResponse() as response):
                return response
            case NoReply(why):
                raise NoAnswer(why_no_answer(self.url, why))
            case _:
                raise AssertionError(f"a driver answered Ask with {answer!r}")

    def _why_not_let_in(self) -> str:
        if not self.account.user:
            return f"{self.url} wants to know who asks: name user and password in a SERVER.yaml"
        return f"{self.url} does not accept the account {self.account.user!r}: check user and password"

    def call(
        self, method: str, path: str, body: object = None, expect: Sequence[int] = (200, 201, 204)
    ) -> AdminCall[Any]:
        """The JSON of an answer with an expected status; None when it has no body."""
        return (yield from self.json_of(self.request(method, path, body), expect))

    def json_of(
        self, request: HttpRequest, expect: Sequence[int] = (200, 201, 204), within_s: float = ADMIN_WITHIN_S
    ) -> AdminCall[Any]:
        return self.read(request, (yield from self.send(request, within_s)), expect)

    def read(self, request: HttpRequest, response: HttpResponse, expect: Sequence[int]) -> Any:
        """The JSON of an answer; None when it has no body. Raises BrokenBench for another status, and for no JSON."""
        text = body_bytes(response.body)
        if response.status not in expect:
            raise OtherStatus(
                f"{request.method} {request.target} on {self.url} answered {response.status}, expected "
                f"{' or '.join(map(str, expect))}{self._why(response)}: "
                f"{beginning(text, SHOWN_OF_REFUSAL) or 'no body'}",
                response.status,
            )
        if not text:
            return None
        try:
            return read_json(text)
        except NotJson as wrong:
            raise BrokenBench(
                f"{request.method} {request.target} on {self.url} answered with {wrong}: "
                f"is this a {self._server} server?"
            ) from None

    def _why(self, response: HttpResponse) -> str:
        return f" (the account {self.account.user!r} lacks a right for this)" if response.status == 403 else ""

    def part(self, document: Any, kind: type[P], *path: str | int) -> P:
        """Returns a required part of an answer. Raises BrokenBench if it is missing."""
        here = document
        try:
            for key in path:
                here = here[key]
        except (LookupError, TypeError):
            here = None
        if isinstance(here, kind):
            return here
        what = ".".join(map(str, path)) or "an answer"
        raise BrokenBench(
            f"{self.url} gives no {KINDS[kind]} as {what} where {self._server} does: is this a {self._server} server? "
            f"It said {json.dumps(document)[:200]}"
        )
