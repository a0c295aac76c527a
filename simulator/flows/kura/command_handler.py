"""CMD-V1: the gateway knows the commands of no real system, and says of each that it was not found."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.payload import Metric, MetricType, int32, string
from fleetrig.simulator.flows.kura.requests import (
    Answer,
    Handling,
    Request,
    bad_request,
    failed,
    not_found,
    not_offered,
)

COMMAND: Final = "command"
COMMAND_METRIC: Final = "command.command"
PASSWORD_METRIC: Final = "command.password"
NO_SUCH_COMMAND: Final = 127
"""As shells have it."""


def handle_command(life: GatewayLife, request: Request) -> Handling:
    """`EXEC/command` with the metric `command.command`."""
    del life
    yield from ()
    if request.method != "EXEC":
        raise not_offered(request.method)
    if len(request.resources) != 1:
        raise bad_request()
    if request.resources[0] != COMMAND:
        raise not_found()
    texts = [request.payload.metrics.get(name) for name in (COMMAND_METRIC, PASSWORD_METRIC)]
    if any(one is not None and one.type is not MetricType.STRING for one in texts):
        raise failed()
    command = request.payload.text(COMMAND_METRIC)
    if command is None or not command.strip() or request.payload.text(PASSWORD_METRIC):
        raise bad_request()  # there is no password that it could be
    if request.payload.flag("command.run.async"):
        return Answer()
    return Answer(
        metrics={
            "command.exit.code": int32(NO_SUCH_COMMAND),
            "command.timedout": Metric(MetricType.BOOL, value=False),
            "command.stderr": string(f"{command.split()[0]}: command not found"),
            "command.stdout": string(""),
        }
    )
