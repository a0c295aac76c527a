"""Where a Prometheus fetches the figures while the run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

import gevent
from gevent.pywsgi import WSGIServer

from fleetrig.harness.servers.address import place_of
from fleetrig.simulator.contract.errors import BrokenBench

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def serve_metrics(place: str, text: Callable[[], str]) -> int:
    """Answers `GET /metrics` at `HOST:PORT` as long as the process lives; returns the port. Raises BrokenBench."""

    def answer(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"GET /metrics\n"]
        start("200 OK", [("Content-Type", CONTENT_TYPE)])
        return [text().encode()]

    server = WSGIServer(place_of(place), answer, log=None)
    try:
        server.start()
    except OSError as wrong:
        raise BrokenBench(f"--metrics {place}: {os.strerror(wrong.errno or 0)}: is something else there?") from None
    gevent.sleep(0)
    port: int = server.server_port
    return port
