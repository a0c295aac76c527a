"""From a stored trace to a policy: of real programs, of simulated devices, and of traces that show too little."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetrig.harness.commands.policy_option import policy_for_order
from fleetrig.harness.fleets.policy_of_trace import PolicyFound, law_of, policy_of_trace
from fleetrig.harness.fleets.retry_classes import RetryClass
from fleetrig.harness.fleets.retry_rows import RetryRow
from fleetrig.harness.load.order import LoadOrder, expanded_for
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.client_policies import CLIENT_POLICIES, RealClient
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import fleetrig

PROJECT = Path(__file__).parents[3]
GOLDEN = PROJECT / "tests" / "golden" / "retries"
TURNED_AWAY = """
scenario: Devices are turned away
devices: {flow: FLOW, count: COUNT, serial: "DEV-{n}", interval: 60s, backoff: BACKOFF}
phases:
  - name: let in
    do: [preregister, power_on]
    for: 90s
  - name: turned away
    faults: [MORE{fault: overload, for: 40m}]
    for: 40m
    expect: [{fault: {kind: overload}}]
"""


def run_and_trace(
    folder: Path, backoff: str, count: int = 1, more: str = "", *options: str, flow: str = "hawkbit"
) -> Path:
    """A run in virtual time that keeps its trace."""
    text = (
        TURNED_AWAY.replace("FLOW", flow).replace("BACKOFF", backoff).replace("COUNT", str(count)).replace("MORE", more)
    )
    file = folder / "scenarios" / flow / "away.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    done = fleetrig("run", f"{flow}/away", "--engine", "exact", "--trace", "away.trace.jsonl", *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "away.trace.jsonl"


SIMULATED = [
    ("{policy: fixed, base: 20s}", RetryClass.CONSTANT, 20.0, 20.0),
    ("{policy: linear, base: 5s, cap: 50s}", RetryClass.LINEAR, 5.0, 50.0),
    ("{policy: exponential, base: 2s, cap: 120s}", RetryClass.EXPONENTIAL, 2.0, 120.0),
    ("{policy: full_jitter, base: 4s, cap: 120s}", RetryClass.FULL_JITTER, 4.0, 120.0),
    ("{policy: equal_jitter, base: 4s, cap: 120s}", RetryClass.EQUAL_JITTER, 4.0, 120.0),
    ("{policy: decorrelated_jitter, base: 4s, cap: 120s}", RetryClass.DECORRELATED_JITTER, 4.0, 120.0),
]


@pytest.mark.parametrize(("backoff", "kind", "base_s", "cap_s"), SIMULATED, ids=[row[1] for row in SIMULATED])
def test_simulated_devices_are_recognised(
    backoff: str, kind: RetryClass, base_s: float, cap_s: float, tmp_path: Path
) -> None:
    found = policy_of_trace(run_and_trace(tmp_path, backoff, 3))
    assert (found.law.kind, found.name, found.devices) == (kind, "poll", 3)
    assert (found.backoff.base_s, found.backoff.cap_s) == pytest.approx((base_s, cap_s), rel=0.3)


def test_devices_that_only_wait_for_their_next_poll(tmp_path: Path) -> None:
    found = policy_of_trace(run_and_trace(tmp_path, "{policy: none}", flow="hono"))
    assert found.law.kind is RetryClass.NONE
    unasked = "no answer named a Retry-After, so it is taken not to obey one"
    assert found.say().endswith(f"of 1 device: none, it waits for its next poll; {unasked}")


def test_a_fleet_that_obeys_and_one_that_does_not(tmp_path: Path) -> None:
    mixed = "{fault: overload, for: 40m, retry_after: 30s, share: 0.5}, "
    obeys = policy_of_trace(run_and_trace(tmp_path, "{policy: fixed, base: 10s, retry_after_spread: 4s}", 2, mixed))
    assert obeys.law.kind is RetryClass.CONSTANT
    assert obeys.backoff.honours_retry_after
    assert obeys.backoff.retry_after_spread_s == pytest.approx(4.0, abs=1.0)
    assert "; it obeys Retry-After, up to " in obeys.say()
    deaf = policy_of_trace(run_and_trace(tmp_path, "{policy: fixed, base: 10s, honours_retry_after: false}", 2, mixed))
    assert not deaf.backoff.honours_retry_after
    assert deaf.backoff.base_s == 10.0
    assert "Retry-After" not in deaf.say()
    told_only = "{fault: overload, for: 40m, retry_after: 30s}, "
    path = run_and_trace(tmp_path, "{policy: fixed, base: 10s}", 2, told_only)
    with pytest.raises(UsageError, match=r"all pauses are those that the server had named \(Retry-After\)"):
        policy_of_trace(path)


def test_swupdate_waits_for_its_next_poll() -> None:
    """Debian's 2022.12, told to poll every 5 s, in an overload of 80 s: the server saw 16 polls that it turned away."""
    found = policy_of_trace(GOLDEN / "swupdate.trace.jsonl")
    assert (found.law.kind, found.law.samples, found.name) == (RetryClass.NONE, 15, "poll")
    assert not found.backoff.honours_retry_after
    assert found.intervals_s == pytest.approx([5.0] * 3, abs=0.05)


def test_the_sdk_doubles_without_jitter() -> None:
    """1.13, whose session was closed, and who was then refused for 13 minutes: 1 s, 2 s, 4 s … 120 s."""
    found = policy_of_trace(GOLDEN / "thingsboard_sdk.trace.jsonl")
    assert (found.law.kind, found.law.samples, found.name) == (RetryClass.EXPONENTIAL, 12, "login")
    assert (found.backoff.base_s, found.backoff.cap_s, found.law.is_cap_seen) == (1.0, 120.0, True)


@pytest.mark.parametrize(
    ("file", "client"), [("swupdate", RealClient.SWUPDATE), ("thingsboard_sdk", RealClient.THINGSBOARD_PYTHON_SDK)]
)
def test_what_was_measured_is_what_the_named_policy_does(file: str, client: RealClient) -> None:
    measured, named = policy_of_trace(GOLDEN / f"{file}.trace.jsonl").backoff, CLIENT_POLICIES[client].backoff
    for failures in range(1, 20):
        assert measured.delay(failures, interval_s=77.0)[:2] == named.delay(failures, interval_s=77.0)[:2]


def rows(*pauses: Sequence[float], asked_s: float | None = None) -> list[RetryRow]:
    return [RetryRow(list(row), [asked_s] * len(row)) for row in pauses]


def test_a_first_delay_with_a_range_of_its_own_is_told_apart() -> None:
    """As a gateway of Kura makes them: some whole seconds, then a minute each."""
    law = law_of(rows((3.0, 60.0, 60.0), (11.0, 60.0), (1.0, 60.01, 60.0, 60.0)), ())
    assert (law.kind, law.samples) == (RetryClass.CONSTANT, 9)
    assert (law.backoff.first_s, law.backoff.base_s) == ((1.0, 11.0), 60.0)


def stored(folder: Path, *events: dict[str, object]) -> Path:
    path = folder / "x.trace.jsonl"
    numbered = [{"seq": number, "lane": "device", "device": "D", **event} for number, event in enumerate(events, 1)]
    path.write_text("\n".join(map(json.dumps, ({"run": "hawkbit/x"}, *numbered))), encoding="utf-8")
    return path


def poll(at_s: float, status: int = 0) -> dict[str, object]:
    """A poll, or the answer to it."""
    envelope = {"request": {"method": "GET", "origin": "http://h", "target": "/"}}
    answer = {"response": {"status": status}}
    kind = "received" if status else "sent"
    return {"at_us": round(at_s * 1e6), "kind": kind, "name": "poll", "envelope": answer if status else envelope}


def test_a_power_cut_begins_a_new_row(tmp_path: Path) -> None:
    on = {"kind": "power_on", "at_us": 35_000_000}
    events = [poll(0), poll(0, 503), poll(5), poll(5, 503), poll(10), poll(10, 503), on, poll(40), poll(40, 503)]
    path = stored(tmp_path, *events, *(poll(at_s, status) for at_s in (45, 50, 55) for status in (0, 503)))
    assert policy_of_trace(path).law.samples == 5, "the 30 s with a power cut in them are none of them"


def test_a_clock_that_is_set_back_spoils_one_pause_only(tmp_path: Path) -> None:
    times = [0, 1, 3, 7, 15, 31 - 3600, 63 - 3600, 127 - 3600]
    path = stored(tmp_path, *(poll(at_s + 7200, status) for at_s in times for status in (0, 503)))
    law = policy_of_trace(path).law
    assert (law.kind, law.samples) == (RetryClass.EXPONENTIAL, 6), "the fifth of seven is none"
    assert (law.backoff.base_s, law.backoff.cap_s) == (1.0, 64.0)


def test_a_clock_that_was_set_while_devices_waited_is_said(tmp_path: Path) -> None:
    path = stored(tmp_path, *(poll(at_s, status) for at_s in (0, 5, 10, 15, 20, 10_000_000) for status in (0, 503)))
    with pytest.raises(UsageError, match=r"shows a pause of 9999980s, which no device makes: its clock was set"):
        policy_of_trace(path)


def test_a_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    events = [poll(at_s, status) for at_s in (0, 5, 10, 15, 20) for status in (0, 503)]
    path = stored(tmp_path, *({**event, "name": "\x1b]0;mine\x07"} for event in events))
    assert r"failed tries ('\x1b]0;mine\x07') of 1 device" in policy_of_trace(path).say()


SHOWS_TOO_LITTLE = {
    "nothing fails": (
        (poll(0), poll(0, 200), poll(60), poll(60, 200)),
        "shows no failed try of any device; record a device",
    ),
    "nothing is tried again": ((poll(0), poll(0, 503)), ": no failed poll was followed by another; record a device"),
    "too few": (
        (poll(0), poll(0, 503), poll(5), poll(5, 503), poll(10)),
        ": not enough samples: 2 of at least 4 pauses between failed tries; record a device",
    ),
}


@pytest.mark.parametrize("case", SHOWS_TOO_LITTLE)
def test_a_trace_that_shows_too_little_says_what_to_do(case: str, tmp_path: Path) -> None:
    events, sentence = SHOWS_TOO_LITTLE[case]
    path = stored(tmp_path, *events)
    with pytest.raises(UsageError) as refused:
        policy_of_trace(path)
    assert str(refused.value).startswith(str(path))
    assert sentence in str(refused.value)
    for words in (["policy", str(path)], ["run", "hawkbit/steady_polling", "--policy-from", str(path)]):
        done = fleetrig(*words, cwd=PROJECT)
        assert (done.returncode, sentence in done.stderr) == (4, True), done


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"run": 5}', '{"at_us": 1}'])
def test_what_is_no_trace(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="is no trace of fleetrig: its first line does not say which run it is"):
        policy_of_trace(path)


def test_devices_of_two_makes_are_not_mixed(tmp_path: Path) -> None:
    def tries(device: str, pause_s: float) -> list[dict[str, object]]:
        return [{**poll(pause_s * n, status), "device": device} for n in range(15) for status in (0, 503)]

    with pytest.raises(UsageError, match=r"its devices differ \(.*\): give a trace of one make"):
        policy_of_trace(stored(tmp_path, *tries("A", 5.0), *(tries("B", 0.1))))


def test_the_command_says_it_in_words_and_as_a_line(tmp_path: Path) -> None:
    path = run_and_trace(tmp_path, "{policy: exponential, base: 1s, cap: 2m}")
    done = fleetrig("policy", path.name, cwd=tmp_path)
    first, line, like, more = done.stdout.splitlines()
    assert (
        "pauses between failed tries (poll) of 1 device: exponential from 1s up to 120s, no jitter; no answer" in first
    )
    assert line == "in a file:  backoff: {policy: exponential, cap: 120s, honours_retry_after: false}"
    assert like == "the same as: thingsboard_python_sdk, paho_python"
    assert more == "a fleet of them: fleetrig run ID --policy-from away.trace.jsonl"


def test_a_run_takes_the_policy_over(tmp_path: Path) -> None:
    """A fleet that is told to wait 7 s, run with the trace of one device that doubles: its own shows the latter."""
    model = run_and_trace(tmp_path, "{policy: exponential, base: 2s, cap: 1m}").rename(tmp_path / "model.jsonl")
    fleet = run_and_trace(tmp_path, "{policy: fixed, base: 7s}", 4, "", "--policy-from", str(model))
    found: PolicyFound = policy_of_trace(fleet)
    assert (found.law.kind, found.devices) == (RetryClass.EXPONENTIAL, 4)
    assert (found.backoff.base_s, found.backoff.cap_s) == (2.0, 60.0)


def test_a_load_run_and_its_prediction_take_it_over_too(tmp_path: Path) -> None:
    """The order says it in words of a file: a worker on another machine has no such trace."""
    line = policy_for_order(GOLDEN / "thingsboard_sdk.trace.jsonl")
    order = LoadOrder("load/boot_storm", str(PROJECT / "scenarios"), str(tmp_path), policy_from="t.jsonl", backoff=line)
    again = LoadOrder.from_json(order.to_json())
    assert again == order
    assert again.again()[-2:] == ("--policy-from", "t.jsonl")
    backoff = expanded_for(again).scenario.devices.backoff.to_backoff()
    assert (backoff.policy, backoff.base_s, backoff.cap_s) == (Policy.EXPONENTIAL, 1.0, 120.0)


def test_a_prediction_says_whose_policy_it_has(tmp_path: Path) -> None:
    trace = str(GOLDEN / "swupdate.trace.jsonl")
    words = ["load/boot_storm", "--users", "20", "--policy-from", trace, "--results", str(tmp_path / "r")]
    done = fleetrig("predict", *words, cwd=PROJECT)
    assert done.returncode in (0, 1)
    assert done.stderr.startswith("--policy-from: 15 pauses between failed tries (poll) of 1 device: none, it waits")
