"""What happened, in the words of a reader: one line for each event of a trace, and a mark that says which way.

→ goes to the server, ← to the device; ! is what went wrong, · all else; a rule stands between phases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from fleetrig.harness.servers.address import is_loopback
from fleetrig.harness.traces.exchanges import Question
from fleetrig.harness.traces.message_words import message_words
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.trace import Lane, TraceEvent

TO_SERVER, TO_DEVICE, WRONG, ELSE, RULE = "→", "←", "!", "·", "─"
MINUTE_US: Final = 60 * US_PER_S


class EventWords(NamedTuple):
    """`mark` is one of the five above. What is wrong is coloured on a terminal, and said in words everywhere."""

    mark: str
    text: str
    is_wrong: bool = False


class Telling(NamedTuple):
    """An event, and the question that it belongs to."""

    event: TraceEvent
    question: Question | None

    @property
    def said(self) -> str:
        """What was said over the wire; empty where nothing was."""
        return "" if self.event.envelope is None else message_words(self.event.envelope)

    @property
    def to(self) -> str:
        """` to #45`, or ` to #45 GET /a` where that line is not shown."""
        question = self.question
        if question is None or question.seq == self.event.seq:
            return ""
        return f" to #{question.seq}" + ("" if question.is_shown else f" {question.line}")

    @property
    def after(self) -> str:
        """` after 2 ms`, by the server's clock or the device's."""
        event, question = self.event, self.question
        took_us = event.took_us
        if event.lane is Lane.SERVER and question is not None:
            took_us += event.at_us - question.at_us
        return f" after {span_text(took_us)}" if took_us else ""


def span_text(took_us: int) -> str:
    """`350 µs`, `12 ms`, `1.25 s`, `2 min 5 s`."""
    if took_us < US_PER_MS:
        return f"{took_us} µs"
    if took_us < US_PER_S:
        return f"{took_us / US_PER_MS:.3g} ms" if took_us < 999 * US_PER_MS else "1 s"
    if took_us < 2 * MINUTE_US:
        return f"{took_us / US_PER_S:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, rest_us = divmod(took_us, MINUTE_US)
    return f"{minutes} min" + (f" {rest_us // US_PER_S} s" if rest_us >= US_PER_S else "")


def words_of(event: TraceEvent, question: Question | None) -> EventWords:
    """Kinds that nobody has heard of yet are shown by their name."""
    telling = Telling(event, question)
    make = WORDS.get((event.lane, event.kind))
    return make(telling) if make is not None else EventWords(ELSE, _joined(event.kind.replace("_", " "), telling))


def _joined(what: str, telling: Telling) -> str:
    event = telling.event
    said = " ".join(filter(None, [what, event.name, event.fault, telling.said]))
    return f"{said}: {event.reason}" if event.reason else said


def _why(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text


# Of a device


def _sent(telling: Telling) -> EventWords:
    return EventWords(TO_SERVER, f"{telling.said} [{telling.event.name}]" if telling.event.name else telling.said)


def _device_received(telling: Telling) -> EventWords:
    name = f" [{telling.event.name}]" if telling.event.name else ""
    return EventWords(TO_DEVICE, f"{telling.said}{telling.to}{telling.after}{name}", is_failure(telling.event.envelope))


def _no_reply(telling: Telling) -> EventWords:
    name = f" [{telling.event.name}]" if telling.event.name else ""
    return EventWords(WRONG, _why(f"no reply{telling.to}{telling.after}{name}", telling.event.reason), is_wrong=True)


def _entered(telling: Telling) -> EventWords:
    return EventWords(ELSE, _why(f"is {telling.event.stage}", telling.event.reason))


def _power_on(telling: Telling) -> EventWords:
    stage = telling.event.stage
    return EventWords(ELSE, _why(f"switched on ({stage})" if stage else "switched on", telling.event.reason))


def _connected(telling: Telling) -> EventWords:
    return EventWords(ELSE, f"connected to {telling.event.reason}{telling.after}")


def _dropped(telling: Telling) -> EventWords:
    return EventWords(WRONG, f"its inbox is full, dropped unread: {telling.said}", is_wrong=True)


# Of a server


def _received(telling: Telling) -> EventWords:
    event = telling.event
    peer = f" from {event.reason}" if event.reason and not event.device and not is_loopback(event.reason) else ""
    return EventWords(TO_SERVER, f"{telling.said}{peer}")


def _answered(telling: Telling) -> EventWords:
    event = telling.event
    if event.envelope is None:
        return EventWords(ELSE, f"{event.name}{telling.to}{telling.after}")
    text = f"{telling.said}{telling.to}{telling.after}"
    return EventWords(TO_DEVICE, f"{text} | {event.name}" if event.name else text, is_failure(event.envelope))


def _refused(telling: Telling) -> EventWords:
    event = telling.event
    if event.envelope is None:
        what = f"{event.name} refused" if event.name else "refused"
        return EventWords(WRONG, _why(f"{what}{telling.to}{telling.after}", event.reason), is_wrong=True)
    text = f"{telling.said}{telling.to}{telling.after} refused"
    return EventWords(TO_DEVICE, _why(text, event.reason), is_wrong=True)


def _server_fault(telling: Telling) -> EventWords:
    event = telling.event
    hits = f" hits {event.envelope.line}" if event.envelope is not None and telling.question is None else ""
    return EventWords(WRONG, _why(f"fault {event.fault}{hits}{telling.to}", event.reason), is_wrong=True)


def _delivered(telling: Telling) -> EventWords:
    event = telling.event
    if event.envelope is None:
        return EventWords(WRONG, _why(f"no answer{telling.to}{telling.after}", event.reason), is_wrong=True)
    arrives = f"arrives as {telling.said}{telling.to}{telling.after}"
    return EventWords(TO_DEVICE, f"{arrives}, {event.reason}" if event.reason else arrives)


def _opened(telling: Telling) -> EventWords:
    return EventWords(ELSE, f"a connection on {telling.event.name or 'a listener'} from {telling.event.reason}")


def _closed(telling: Telling) -> EventWords:
    reason = telling.event.reason
    return EventWords(ELSE, "the connection ends" + ("" if reason in ("", "closed") else f": {reason}"))


def _pushed(telling: Telling) -> EventWords:
    unasked = ", unasked" if telling.question is None else ""
    return EventWords(TO_DEVICE, f"{telling.said}{telling.to}{telling.after}{unasked}")


# Of the network


def _network_fault(telling: Telling) -> EventWords:
    event = telling.event
    if not event.fault:
        return EventWords(ELSE, event.reason)
    said = f" ({telling.said})" if telling.said else ""
    return EventWords(WRONG, _why(f"fault {event.fault}{said}", event.reason), is_wrong=True)


def _malformed(telling: Telling) -> EventWords:
    answer = f"; answered with {telling.said}" if telling.said else ""
    return EventWords(WRONG, f"unreadable: {telling.event.reason}{answer}", is_wrong=True)


def _handshake_failed(telling: Telling) -> EventWords:
    listener = f" on {telling.event.name}" if telling.event.name else ""
    return EventWords(WRONG, _why(f"no handshake{listener}", telling.event.reason), is_wrong=True)


# Of the bench and of boards


def _asked(telling: Telling) -> EventWords:
    said = telling.event.reason
    return EventWords(WRONG if said else ELSE, _why(f"asked the server: {telling.event.name}", said), bool(said))


def _ended(telling: Telling) -> EventWords:
    event = telling.event
    is_wrong = event.name in ("failed", "broken")
    return EventWords(RULE, _why(f"the run is over: {event.name}", event.reason), is_wrong)


def _verdict(telling: Telling) -> EventWords:
    event = telling.event
    return EventWords(RULE, f"{event.reason}: phase «{event.name}»", event.reason in ("failed", "broken"))


def _fixed(mark: str, text: str, *, is_wrong: bool = False) -> Callable[[Telling], EventWords]:
    """Words with the event's `name` and, behind a colon, its reason."""

    def words(telling: Telling) -> EventWords:
        event = telling.event
        return EventWords(mark, _why(" ".join(text.format(name=event.name).split()), event.reason), is_wrong)

    return words


def _spent(text: str) -> Callable[[Telling], EventWords]:
    """Words with how long it took."""

    def words(telling: Telling) -> EventWords:
        event = telling.event
        said = text.format(name=event.name, span=span_text(event.took_us))
        return EventWords(ELSE, _why(said, event.reason))

    return words


WORDS: Final[Mapping[tuple[Lane, str], Callable[[Telling], EventWords]]] = {
    (Lane.DEVICE, "power_on"): _power_on,
    (Lane.DEVICE, "power_cut"): _fixed(WRONG, "its power is cut", is_wrong=True),
    (Lane.DEVICE, "ended"): _fixed(ELSE, "its program has ended"),
    (Lane.DEVICE, "connected"): _connected,
    (Lane.DEVICE, "disconnected"): _fixed(ELSE, "disconnects"),
    (Lane.DEVICE, "sent"): _sent,
    (Lane.DEVICE, "received"): _device_received,
    (Lane.DEVICE, "downloaded"): lambda telling: EventWords(
        TO_DEVICE, f"{telling.event.reason}{telling.to}{telling.after} [{telling.event.name}]"
    ),
    (Lane.DEVICE, "no_reply"): _no_reply,
    (Lane.DEVICE, "waited"): _spent("nothing came in {span} [{name}]"),
    (Lane.DEVICE, "paused"): _spent("has paused for {span}"),
    (Lane.DEVICE, "applied"): _spent("has worked on {name} for {span}"),
    (Lane.DEVICE, "remembered"): _fixed(ELSE, "stores {name}"),
    (Lane.DEVICE, "entered"): _entered,
    (Lane.DEVICE, "dropped"): _dropped,
    (Lane.SERVER, "received"): _received,
    (Lane.SERVER, "step"): _fixed(ELSE, "{name}"),
    (Lane.SERVER, "fault"): _server_fault,
    (Lane.SERVER, "answered"): _answered,
    (Lane.SERVER, "refused"): _refused,
    (Lane.SERVER, "delivered"): _delivered,
    (Lane.SERVER, "opened"): _opened,
    (Lane.SERVER, "closed"): _closed,
    (Lane.SERVER, "pushed"): _pushed,
    (Lane.SERVER, "advanced"): _fixed(ELSE, "by itself: {name}"),
    (Lane.NETWORK, "fault"): _network_fault,
    (Lane.NETWORK, "malformed"): _malformed,
    (Lane.NETWORK, "refused"): _handshake_failed,
    (Lane.NETWORK, "handed_on"): _fixed(ELSE, "handed on {name}"),
    (Lane.NETWORK, "handing_on_failed"): _fixed(WRONG, "not handed on {name}", is_wrong=True),
    (Lane.BENCH, "begun"): _fixed(ELSE, "the run begins {name}"),
    (Lane.BENCH, "plays"): _fixed(ELSE, "plays {name}"),
    (Lane.BENCH, "phase"): _fixed(RULE, "phase «{name}»"),
    (Lane.BENCH, "action"): _fixed(ELSE, "does {name}"),
    (Lane.BENCH, "carried_out"): _fixed(ELSE, "done: {name}"),
    (Lane.BENCH, "failed"): _fixed(WRONG, "not done: {name}", is_wrong=True),
    (Lane.BENCH, "over"): _fixed(ELSE, "the wait of this phase is over"),
    (Lane.BENCH, "asked"): _asked,
    (Lane.BENCH, "measured"): _fixed(ELSE, "holds: {name}"),
    (Lane.BENCH, "verdict"): _verdict,
    (Lane.BENCH, "ended"): _ended,
    (Lane.BENCH, "note"): _fixed(ELSE, "{name}"),
    (Lane.BOARD, "port_opened"): _fixed(ELSE, "the port is open"),
    (Lane.BOARD, "port_lost"): _fixed(WRONG, "the port is lost", is_wrong=True),
    (Lane.BOARD, "power_on"): _fixed(ELSE, "power on"),
    (Lane.BOARD, "power_off"): _fixed(ELSE, "power off"),
    (Lane.BOARD, "reset"): _fixed(ELSE, "reset"),
    (Lane.BOARD, "line"): lambda telling: EventWords(TO_DEVICE, telling.event.reason),
    (Lane.BOARD, "typed"): lambda telling: EventWords(TO_SERVER, telling.event.reason),
    (Lane.BOARD, "ran"): _spent("ran «{name}» in {span}"),
    (Lane.BOARD, "identified"): _fixed(ELSE, "identified {name}"),
    (Lane.BOARD, "flashing"): _fixed(ELSE, "flashing {name}"),
    (Lane.BOARD, "flashed"): _fixed(ELSE, "flashed {name}"),
    (Lane.BOARD, "flash_failed"): _fixed(WRONG, "not flashed {name}", is_wrong=True),
    (Lane.BOARD, "booted"): _fixed(ELSE, "booted {name}"),
    (Lane.BOARD, "panicked"): _fixed(WRONG, "panicked {name}", is_wrong=True),
    (Lane.BOARD, "reset_seen"): _fixed(WRONG, "restarted by itself {name}", is_wrong=True),
    (Lane.BOARD, "line_fault"): lambda telling: EventWords(
        WRONG, _why(f"fault {telling.event.fault} {telling.event.name}", telling.event.reason), is_wrong=True
    ),
    (Lane.BOARD, "bridged"): lambda telling: EventWords(ELSE, _joined("bridged", telling)),
    (Lane.BOARD, "note"): lambda telling: EventWords(ELSE, telling.event.reason),
}
"""By lane and kind: those of `trace.KINDS`, and the notes beside the bytes of a board."""
