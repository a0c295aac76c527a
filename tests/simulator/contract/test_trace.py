"""One stream, numbered lane by lane, made only when somebody listens."""

from __future__ import annotations

from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent


def test_each_lane_counts_for_itself() -> None:
    trace, heard = Trace(), list[TraceEvent]()
    trace.listen(heard.append)
    for lane in (Lane.DEVICE, Lane.SERVER, Lane.DEVICE, Lane.BENCH, Lane.DEVICE):
        trace.emit(7, lane, "note")
    assert [(event.lane.value, event.seq) for event in heard] == [
        ("device", 1),
        ("server", 1),
        ("device", 2),
        ("bench", 1),
        ("device", 3),
    ]


def test_nobody_listens() -> None:
    trace, heard = Trace(), list[TraceEvent]()
    assert not trace.wanted
    trace.emit(0, Lane.DEVICE, "sent")
    stop = trace.listen(heard.append)
    assert trace.wanted
    trace.emit(0, Lane.DEVICE, "sent")
    stop()
    stop()
    trace.emit(0, Lane.DEVICE, "sent")
    assert [event.seq for event in heard] == [1]
    assert not trace.wanted


def test_a_listener_may_stop_itself_and_others_hear_on() -> None:
    trace, once, all_along = Trace(), list[TraceEvent](), list[TraceEvent]()

    def hear_once(event: TraceEvent) -> None:
        once.append(event)
        stop()

    stop = trace.listen(hear_once)
    trace.listen(all_along.append)
    for _ in range(3):
        trace.emit(0, Lane.NETWORK, "fault")
    assert (len(once), len(all_along)) == (1, 3)


def test_a_listener_hears_only_of_what_it_chooses() -> None:
    trace, of_one, of_kind = Trace(), list[TraceEvent](), list[TraceEvent]()
    trace.listen(of_kind.append, ["received"])
    trace.listen(of_one.append, chooses=lambda device: device == "dev-1")
    for device in ("dev-1", "dev-2"):
        for kind in ("sent", "received"):
            trace.emit(0, Lane.DEVICE, kind, device)

    assert [(event.device, event.kind) for event in of_one] == [("dev-1", "sent"), ("dev-1", "received")]
    assert [event.device for event in of_kind] == ["dev-1", "dev-2"]
    assert [event.seq for event in of_one] == [1, 2], "what nobody hears is counted"
    assert [event.seq for event in of_kind] == [2, 4]


def test_time_is_whole_microseconds() -> None:
    assert to_us(0.1) + to_us(0.2) == to_us(0.3) == 300_000
    assert to_us(1e-7) == 0
    assert to_us(86_400 * 365.0) == 86_400 * 365 * 1_000_000
    assert to_s(1_500_000) == 1.5
