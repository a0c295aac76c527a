"""The small handler that was made for the recordings of real Kura code (`TEST-V1` there)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.payload import string
from fleetrig.simulator.flows.kura.requests import (
    BAD_REQUEST,
    Answer,
    Handling,
    Request,
    RequestRefused,
    bad_request,
    failed,
    not_found,
)

SLOW_S: Final = 2.0
LONG_CHARS: Final = 500
CODE: Final = re.compile(r"[+-]?[0-9]{1,9}")


def is_slow(request: Request) -> bool:
    return request.method == "GET" and request.resources[:1] == ("slow",)


def handle_recorded(life: GatewayLife, request: Request) -> Handling:
    """GET answers; the other methods refuse, each in its own way."""
    del life
    yield from ()
    match request.method:
        case "GET":
            return _got(request)
        case "PUT":
            raise not_found()
        case "POST":
            raise RequestRefused(BAD_REQUEST)
        case "DEL":
            raise failed()
        case _:
            raise bad_request()


def _got(request: Request) -> Answer | None:
    match request.resources:
        case ("null",):
            return None
        case ("code",):
            raise failed()
        case ("code", number, *_):
            if not CODE.fullmatch(number):
                raise RequestRefused(BAD_REQUEST)
            return Answer(int(number))
        case resources:
            metrics = {"resources": string("|".join(resources))}
            if resources[:1] == ("long",):
                metrics = {"s": string("z" * LONG_CHARS), **metrics}
            return Answer(metrics=metrics)
