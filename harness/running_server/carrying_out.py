"""Carries out an admin call from a test: no event loop, since the test may have one of its own."""

from __future__ import annotations

import ssl
from contextlib import ExitStack, closing
from typing import TypeVar

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Reply

__tracebackhide__ = True

T = TypeVar("T")

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def carried_out(call: AdminCall[T], verify: ssl.SSLContext | None = None) -> T:
    """What the call returns. Raises BrokenBench when the server gives no answer."""
    with ExitStack() as closes:
        clients: dict[str, ExactClient] = {}
        try:
            ask = next(call)
            while True:
                request = ask.request
                assert isinstance(request, HttpRequest)
                if request.origin not in clients:
                    client = ExactClient(request.origin, verify, within_s=ask.within_s)
                    clients[request.origin] = closes.enter_context(closing(client))
                ask = call.send(_reply(clients[request.origin], request))
        except StopIteration as done:
            value: T = done.value
            return value
        except FleetrigError as wrong:
            raise wrong.with_traceback(None) from None  # where in fleetrig is nothing to a test


def _reply(client: ExactClient, request: HttpRequest) -> Reply[HttpResponse]:
    content = body_bytes(request.body)
    sent = content if content or request.method in WITH_BODY else None
    answer = client.call(request.method, request.target, dict(request.headers), sent)
    return Reply(HttpResponse(answer.status, answer.headers, answer.body), 0.0)
