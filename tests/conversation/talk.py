"""A server over the echo platform without sockets: what is said to it, and what it says, in lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platform import ServerPlatform
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.envelope import Envelope, LateAnswer, Output, Send, Unheard
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttSubscribe, Subscription
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.conversation.echo_platform import PASSWORD, EchoPlatform

START_US = VIRTUAL_EPOCH_US


@dataclass
class Talk:
    """Time stands still but for `after`. `events` are those of the server lane."""

    seed: int = 1
    now_us: int = START_US
    events: list[TraceEvent] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.trace, self.secrets = Trace(), Secrets()
        self.trace.listen(self.events.append)
        self.echo = EchoPlatform(self.store)
        self.plan = FaultPlan(Random(self.seed).random)
        self.serve(self.echo)

    def serve(self, platform: ServerPlatform) -> None:
        self.server = Server(platform, self.store, self.plan, self.trace, self.secrets)

    def fault(self, kind: FaultKind, **fields: object) -> None:
        self.plan.add(Fault(kind, **fields), self.now_us)  # type: ignore[arg-type]

    def open(self, session: int) -> list[str]:
        return lines(self.server.opened(Session(id=session, listener="toy"), self.now_us))

    def say(self, session: int, envelope: Envelope) -> list[str]:
        return lines(self.heard(session, envelope))

    def heard(self, session: int, envelope: Envelope) -> list[Output]:
        return list(self.server.receive(Session(id=session, listener="toy"), envelope, self.now_us))

    def close(self, session: int) -> list[str]:
        return lines(self.server.closed(Session(id=session, listener="toy"), self.now_us))

    def connect(self, session: int, name: str = "") -> list[str]:
        """Opens a session and says CONNECT."""
        said = self.open(session)
        return said + self.say(session, MqttConnect(name or f"gw-{session}", password=PASSWORD.encode()))

    def subscribe(self, session: int, topic_filter: str = "echo/#") -> list[str]:
        return self.say(session, MqttSubscribe((Subscription(topic_filter),), packet_id=1))

    def after(self, seconds: float) -> list[str]:
        """Lets time pass, and everything happen that is due at its very microsecond."""
        until_us = self.now_us + to_us(seconds)
        said: list[str] = []
        while (due_us := self.server.next_due_us()) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            said += lines(self.server.advance(self.now_us))
        self.now_us = until_us
        return said

    def told(self) -> list[tuple[str, int, str, str]]:
        """(kind, session, line of the envelope, fault or reason) of what is new since the last call."""
        found = [
            (event.kind, event.session, event.envelope.line if event.envelope else "", event.fault or event.reason)
            for event in self.events
        ]
        self.events.clear()
        return found


def lines(outputs: Iterable[Output]) -> list[str]:
    """`1 PUBLISH a`, `1 PUBLISH a +500ms`, `2 reset`."""
    return [_line(output) for output in outputs]


def _line(output: Output) -> str:
    if isinstance(output, Unheard):
        return f"{output.session} unheard"
    if isinstance(output, LateAnswer):
        line = output.delivery.response.line if output.delivery.response is not None else output.delivery.ending
        return f"{output.session} held {output.held_id}: {line}"
    late = f" +{output.delay_us // 1000}ms" if output.delay_us else ""
    what = output.envelope.line if isinstance(output, Send) else str(output.ending)
    return f"{output.session} {what}{late}"
