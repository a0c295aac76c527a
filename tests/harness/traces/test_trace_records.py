"""Every line of a trace is something, also one that is damaged."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.trace_records import DamagedLine, EventsGone, RunBegins, StoredEvent, read_record
from fleetrig.simulator.contract.trace import Lane
from tests.harness.traces.told import RUN, lines_of, told


def test_a_run_says_which_it_is() -> None:
    assert read_record(RUN, 1) == RunBegins("a/b[n=1]", 3, "virtual", "0.1.0")
    sampled = RUN.replace('"seed"', '"one_of": 64, "platform": "echo", "seed"')
    assert read_record(sampled, 1) == RunBegins("a/b[n=1]", 3, "virtual", "0.1.0", 64, "echo")


def test_an_event_comes_with_its_line() -> None:
    event = told(Lane.SERVER, 3, "refused", "gw-1", reason="who are you?")
    [line] = lines_of(event)
    assert read_record(line, 7) == StoredEvent(event, line, 7)


def test_what_a_server_has_forgotten_is_a_number() -> None:
    assert read_record('{"dropped": 17}', 1) == EventsGone(17)


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ('{"at_us": 5, "way": "from_board", "text": "login: \\r\\n"}', "line", "login: "),
        ('{"at_us": 5, "way": "to_board", "text": "root\\n"}', "typed", "root"),
        ('{"at_us": 5, "way": "from_board", "base64": "/wCA"}', "line", "3 bytes: ff 00 80"),
        ('{"at_us": 5, "note": "power on"}', "note", "power on"),
    ],
)
def test_bytes_of_a_board_are_events_of_its_lane(line: str, kind: str, said: str) -> None:
    record = read_record(line, 4)
    assert isinstance(record, StoredEvent)
    event = record.event
    assert (event.lane, event.kind, event.reason, event.seq, event.at_us) == (Lane.BOARD, kind, said, 4, 5)


@pytest.mark.parametrize(
    "line",
    ["", "{", "17", "[]", '{"at_us": 1}', '{"way": "sideways", "text": "a"}', '{"dropped": "many"}', "[" * 100_000],
)
def test_all_else_is_damaged(line: str) -> None:
    record = read_record(line, 9)
    assert isinstance(record, DamagedLine)
    assert str(record).startswith("line 9 is no line of a trace: ")
