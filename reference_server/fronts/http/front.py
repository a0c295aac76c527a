"""HTTP over sockets: byte-exact envelopes in, deliveries out.

A protocol of our own, so that a path arrives as it was sent, headers are exactly those of the platform, and every
`Ending` can be performed. Its parts: `connection` finds requests in what comes, `answering` takes them from there to
`responder`, which sends the answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.answering import HttpAnswering
from fleetrig.reference_server.fronts.http.connection import HttpConnection
from fleetrig.reference_server.fronts.http.connections import HttpConnections
from fleetrig.reference_server.fronts.http.late_answers import LateAnswers
from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.delivery import Ending, HttpHandler
from fleetrig.simulator.contract.envelope import Close, LateAnswer, Output
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.trace import Lane


class HttpFront:
    """All HTTP and HTTPS listeners of one platform. Belongs to the event loop it was opened in."""

    def __init__(
        self,
        handle: HttpHandler,
        rules: HttpContainerRules,
        tools: FrontTools,
        left: Callable[[int, int], None] = lambda held_id, now_us: None,
    ) -> None:
        """`left(held_id, now_us)` hears of held requests whose clients have gone."""
        self._late = LateAnswers(lambda held_id: left(held_id, tools.clock.now_us()))
        self._clock = tools.clock
        self._trace = tools.trace
        self._listeners: list[Listener] = []
        self._answering = HttpAnswering(handle, rules, tools, self._late)
        self._connections = HttpConnections(
            self._answering.take, tools.next_session_id, tools.on_bug, tools.limits.idle_s
        )

    # Listening

    async def listen(self, listener: Listener) -> None:
        """Opens a listener; from then on it accepts."""
        with suppress(OSError):
            tempfile.gettempdir()  # looked for now: without descriptors it would not be found
        await listener.open(partial(HttpConnection, self._connections, listener.name))
        self._listeners.append(listener)

    async def close(self) -> None:
        """Stops accepting, lets answers that are being sent end within a second, closes all connections."""
        for listener in self._listeners:
            listener.close()
        self._answering.responder.release()
        self._late.cancel()
        await self._connections.close()

    def refuse(self) -> None:
        """Refuses connections from now on, and resets those that are open."""
        self._note_outage(Ending.REFUSED, "stopped listening")
        for listener in self._listeners:
            listener.refuse()
        for connection in list(self._connections.open.values()):
            reset(connection.transport)

    async def accept_again(self) -> None:
        for listener in self._listeners:
            await listener.accept_again()
        self._note_outage("", "listening again")

    def perform(self, outputs: Sequence[Output]) -> None:
        """Performs each `Close` and `LateAnswer` at once. Raises ModelError for a `Send`: over HTTP nobody hears it."""
        for output in outputs:
            if isinstance(output, LateAnswer):
                self._late.give(output)
                continue
            connection = self._connections.open.get(output.session)
            if connection is None:
                continue
            if not isinstance(output, Close):
                raise ModelError(f"over HTTP nothing can be sent unasked, but the platform gave {output!r}")
            if output.ending is Ending.CLOSED:
                connection.close()
            elif output.ending is not Ending.SILENCE:
                reset(connection.transport)

    @property
    def held_requests(self) -> int:
        """How many wait for an answer that comes later."""
        return len(self._late)

    def _note_outage(self, fault: str, reason: str) -> None:
        self._trace.emit(self._clock.now_us(), Lane.NETWORK, "fault", fault=fault, reason=reason)
