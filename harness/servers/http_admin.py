"""An HTTP API of a server as an operator uses it: each call a generator of Asks, so it runs in virtual and real time.

What all platforms' admin clients need: a request with an account, sentences for every way to get no answer, JSON and
its parts. Raises `BrokenBench` with the first cause when the server cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from fleetrig.harness.servers.first_answer import (
    FirstAnswer,
    Sought,
    body_in_short,
    masked,
    on_one_line,
    other_server,
    redirects,
)
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.harness.servers.no_answer import NoAnswer
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

SHOWN_OF_REFUSAL: Final = 300
SHOWN_OF_DOCUMENT: Final = 200

KINDS: Final = {dict: "object", list: "list", str: "text", int: "number"}


def upload_within_s(content: BodyPart) -> float:
    """How long the answer to an upload may take."""
    return ADMIN_WITHIN_S + len(content) / SLOWEST_UPLOAD_BYTES_PER_S


class NotLetIn(BrokenBench):
    """Whoever answers wants another account: 401."""


class OtherStatus(BrokenBench):
    """A status that was not expected."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class HttpAdmin:
    """An operator's account on one server. `url` may hold a path, as behind a reverse proxy."""

    def __init__(self, url: str, account: UserPassword, tenant: str, *, sought: Sought, api: str) -> None:
        """`sought`: what the server should be, for sentences; `api`: the path before every call."""
        self.url = url.rstrip("/")
        self.account = account
        self.tenant = tenant
        self._sought = sought
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
                raise NotLetIn(self._why_not_let_in())
            case Reply(HttpResponse() as response):
                return self.not_redirected(request, response)
            case NoReply(why):
                raise NoAnswer.at(self.url, why)
            case _:
                raise AssertionError(f"a driver answered Ask with {answer!r}")

    def not_redirected(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The answer. Raises BrokenBench when it is a redirect."""
        if 300 <= response.status < 400:
            raise BrokenBench(redirects(self._sought, self.url, self._came(request, response)))
        return response

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

    def first(self, request: HttpRequest, within_s: float, member: str, status: int = 200) -> AdminCall[Any]:
        """The document of the first answer. Raises BrokenBench that says who is there, if it is another server.

        `status` and `member`: what the answer of the right server has.
        """
        response = yield from HttpAdmin.send(self, request, within_s)
        came = self._came(request, response)
        if response.status == 403:
            raise BrokenBench(self._forbidden(came))
        if response.status != status or not came.has_member(member):
            raise BrokenBench(other_server(self._sought, self.url, came))
        return read_json(came.body)

    def read(self, request: HttpRequest, response: HttpResponse, expect: Sequence[int]) -> Any:
        """The JSON of an answer; None when it has no body. Raises BrokenBench for another status, and for no JSON."""
        if response.status not in expect:
            raise OtherStatus(self._refused(self._came(request, response), expect), response.status)
        text = body_bytes(response.body)
        if not text:
            return None
        try:
            return read_json(text)
        except NotJson as wrong:
            raise BrokenBench(self._no_json(self._came(request, response), wrong)) from None

    def _no_json(self, came: FirstAnswer, wrong: NotJson) -> str:
        """A page comes from another server; a document that cannot be read says where it is wrong."""
        what = f"with {wrong}" if came.claims_json else came.in_short()
        return f"{came.asked} on {self.url} answered {what}: {self._is_it()}"

    def _refused(self, came: FirstAnswer, expect: Sequence[int]) -> str:
        """For a status that nobody expected: what the server says about it, or who answers in its place."""
        is_page = came.body and not came.is_json
        if is_page and came.status == 403:
            return self._forbidden(came)
        if is_page and came.status >= 500:
            return other_server(self._sought, self.url, came)
        right = f" (the account {self.account.user!r} lacks a right for this)" if came.status == 403 else ""
        said = on_one_line(masked(came.body, came.secrets))[:SHOWN_OF_REFUSAL]
        what = body_in_short(came.body, came.secrets) if is_page else said or "no body"
        wanted = " or ".join(map(str, expect))
        return f"{came.asked} on {self.url} answered {came.status}, expected {wanted}{right}: {what}"

    def _forbidden(self, came: FirstAnswer) -> str:
        return (
            f"{came.asked} on {self.url} is forbidden ({came.in_short()}): does the account {self.account.user!r} lack "
            "a right for this, or does a proxy or a firewall stand before the server?"
        )

    def _came(self, request: HttpRequest, response: HttpResponse) -> FirstAnswer:
        return FirstAnswer(
            f"{request.method} {request.target}",
            response.status,
            response.header("Content-Type") or "",
            response.header("Location") or "",
            body_bytes(response.body),
            tuple(self.secrets()),
        )

    def _is_it(self) -> str:
        return f"is this a {self._sought.server}?"

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
            f"{self.url} gives no {KINDS[kind]} as {what} where {self._sought.product} does: {self._is_it()} "
            f"It said {masked(json.dumps(document).encode(), self.secrets())[:SHOWN_OF_DOCUMENT]}"
        )
