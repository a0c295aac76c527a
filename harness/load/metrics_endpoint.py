"""Where a Prometheus fetches the figures while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import gevent.socket as sockets
from gevent.pywsgi import WSGIServer

from fleetrig.harness.servers.address import place_of
from fleetrig.simulator.contract.errors import BrokenBench, system_said

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def serve_metrics(place: str, text: Callable[[], str]) -> Any:
    """Answers `GET /metrics` at `HOST:PORT` until what it returns is stopped. Raises BrokenBench."""

    def answer(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"GET /metrics\n"]
        start("200 OK", [("Content-Type", CONTENT_TYPE)])
        return [text().encode()]

    server = WSGIServer(listening(place), answer, log=None)
    server.start()
    return server


def listening(place: str) -> Any:
    """A socket that listens there; gevent would forget to close one that cannot. Raises BrokenBench."""
    host, port = place_of(place)
    family, _, _, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
    listener = sockets.socket(family, sockets.SOCK_STREAM)
    try:
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as wrong:
        listener.close()
        raise BrokenBench(f"--metrics {place}: {system_said(wrong)}") from None
    return listener
