"""A Prometheus gets the figures of the moment."""

from __future__ import annotations

import ssl
from itertools import count

import pytest

from fleetrig.harness.load.metrics_endpoint import serve_metrics
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.drivers.load.http_client import LoadHttp
from fleetrig.simulator.drivers.load.stream import Dialler
from fleetrig.simulator.effects import Ask, Reply
from fleetrig.simulator.transports.storage import Storage

WITHIN_S = 20.0


def fetched(client: LoadHttp, origin: str, target: str) -> HttpResponse:
    answer = client.ask(Ask("metrics", HttpRequest("GET", origin, target), WITHIN_S))
    assert isinstance(answer, Reply), answer
    assert isinstance(answer.envelope, HttpResponse)
    return answer.envelope


def test_each_fetch_is_answered_with_the_figures_of_then(free_port: int) -> None:
    numbers = count(1)
    server = serve_metrics(f"127.0.0.1:{free_port}", lambda: f"requests {next(numbers)}\n# EOF\n")
    client, origin = LoadHttp(Dialler(), ssl.create_default_context(), Storage()), f"http://127.0.0.1:{free_port}"

    assert fetched(client, origin, "/metrics").body == b"requests 1\n# EOF\n"
    answer = fetched(client, origin, "/metrics")
    assert answer.body == b"requests 2\n# EOF\n"
    assert (answer.header("Content-Type") or "").startswith("application/openmetrics-text")
    assert fetched(client, origin, "/").status == 404
    client.close()
    server.stop()


def test_a_place_that_is_taken_is_told(free_port: int) -> None:
    server = serve_metrics(f"127.0.0.1:{free_port}", str)

    with pytest.raises(BrokenBench, match=f"--metrics 127.0.0.1:{free_port}: Address already in use"):
        serve_metrics(f"127.0.0.1:{free_port}", str)
    server.stop()
