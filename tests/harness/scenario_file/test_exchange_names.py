"""Names that nothing has, and checks that could not fail, are mistakes with line, caret and near word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.platforms.hawkbit.vocabulary import EXCHANGES
from fleetrig.harness.scenario_file import platform_models
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from tests.harness.command import fleetrig

Read = Callable[[str], ScenarioFile]

NAMES = f"{', '.join(EXCHANGES[:-1])} or {EXCHANGES[-1]}"
ALWAYS = "at_least: 0 always holds: give a higher number, or at_most"
LINE = "expected a glob over a request's line, such as `GET */controller/v1/*` or `POST *`"


def scenario(check: str, *, do: str = "power_on", faults: str = "[]", devices: str = "flow: hawkbit") -> str:
    """The check stands on line 9, its word in column 9."""
    return f"""\
        scenario: A device polls
        devices: {{{devices}}}
        faults: {faults}
        phases:
          - name: first
            do: [{do}]
            for: 10s
            expect:
              - {check}
    """


def said_about(read: Read, text: str) -> list[str]:
    with pytest.raises(FileMistakes) as refused:
        expand(read(text))
    return [f"{one.mark.line}:{one.mark.column}: {one.sentence}" for one in refused.value.problems]


@pytest.mark.parametrize(
    ("check", "place", "column"),
    [
        ("sends: {name: pol}", "sends.name", 23),
        ("receives: {name: pol}", "receives.name", 26),
        ("no_reply: {name: pol}", "no_reply.name", 26),
        ("never: {sends: {name: pol}}", "never.sends.name", 31),
        ("never: {receives: {name: pol}}", "never.receives.name", 34),
        ("never: {no_reply: {name: pol}}", "never.no_reply.name", 34),
        ("order: [{sends: {name: pol}}, {sends: {name: poll}}]", "order[0].sends.name", 32),
        ("order: [{sends: {name: poll}}, {receives: {name: pol}}]", "order[1].receives.name", 58),
        ("gap: {between: pol, at_least: 1s}", "gap.between", 24),
        ("rate: {of: pol, at_most: 1}", "rate.of", 20),
        ("attempts: {of: pol, at_most: 1}", "attempts.of", 24),
        ("spread: {of: pol, peak_at_most: 2}", "spread.of", 22),
        ("backs_off: {of: pol}", "backs_off.of", 25),
        ("jitter: {of: pol}", "jitter.of", 22),
    ],
)
def test_every_word_that_names_an_exchange_knows_the_names(read: Read, check: str, place: str, column: int) -> None:
    assert said_about(read, scenario(check)) == [
        f"9:{column}: phases[0].expect[0].{place}: expected {NAMES}, got 'pol'; did you mean 'poll'?"
    ]
    expand(read(scenario(check.replace("pol}", "poll}").replace("pol,", "poll,"))))


@pytest.mark.parametrize("name", ["poll", "feedback-*", "*", "p?ll", "[pd]o*", "configData", "*Data"])
def test_a_glob_names_what_it_selects(read: Read, name: str) -> None:
    assert expand(read(scenario(f'never: {{sends: {{name: "{name}"}}}}')))


@pytest.mark.parametrize("name", ["feedback-clsoed*", "POLL", "p?l", "poll ", "-"])
def test_a_glob_that_selects_no_exchange_is_a_mistake(read: Read, name: str) -> None:
    (sentence,) = said_about(read, scenario(f'never: {{sends: {{name: "{name}"}}}}'))
    assert f"expected {NAMES}, got '{name}'" in sentence


def test_a_name_is_looked_at_when_its_value_is_filled_in(read: Read) -> None:
    matrix = "x\n        matrix: {what: [poll, pol]}"
    text = scenario('rate: {of: "${what}", at_most: 1}').replace("A device polls", matrix)
    assert said_about(read, text) == [
        f"10:20: phases[0].expect[0].rate.of: expected {NAMES}, got 'pol' from ${{what}}; did you mean 'poll'?"
    ]


PROGRAMS = 'flow: hawkbit, external: true, serial: "EXT-{n}"'


def test_programs_may_do_more_than_simulated_devices(read: Read) -> None:
    (sentence,) = said_about(read, scenario("never: {sends: {name: installedBase}}"))
    assert "'installedBase' is what only device programs do (external: true); simulated devices know poll" in sentence
    assert expand(read(scenario("never: {sends: {name: installedBase}}", devices=PROGRAMS)))
    assert said_about(read, scenario("never: {sends: {name: instaledBase}}", devices=PROGRAMS)) == [
        "9:31: phases[0].expect[0].never.sends.name: 'instaledBase' is not known here; did you mean 'installedBase'?"
    ]


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        ("pol#1:sent", "'pol' is not known here; did you mean 'poll'?"),
        ("enter-onlin#1:before", "'enter-onlin' is not known here; did you mean 'enter-online'?"),
        ("pause-backoff#1:sent", "pause-backoff has only one moment: say pause-backoff#1:before"),
    ],
)
def test_points_to_cut_power_at_are_known(read: Read, point: str, sentence: str) -> None:
    text = scenario("reaches: {stage: online}", do=f'power_on: {{cut_at: "{point}"}}')
    assert said_about(read, text) == [f"6:29: phases[0].do[0].power_on.cut_at: {sentence}"]
    assert expand(read(text.replace(point, "enter-online#1:before")))


@pytest.mark.parametrize("hits", ["poll", "PSOT */feedback", "GET", "get /a", "POST feedback", "CONNECT gw-1"])
def test_a_fault_hits_lines_of_requests(read: Read, hits: str) -> None:
    text = scenario("reaches: {stage: online}", faults=f'[{{fault: outage, hits: "{hits}"}}]')
    assert said_about(read, text) == [f"3:32: faults[0].hits: {LINE}, got '{hits}'"]


@pytest.mark.parametrize("hits", ["*", "POST */feedback", "P* *", "*feedback", "GET /DEFAULT/*", "[GP]* [/]*"])
def test_globs_over_lines_are_fine(read: Read, hits: str) -> None:
    assert expand(read(scenario("reaches: {stage: online}", faults=f'[{{fault: outage, hits: "{hits}"}}]')))
    assert expand(read(scenario(f'never: {{sends: {{line: "{hits}"}}}}')))


def test_a_fault_of_sessions_never_acts_on_http(read: Read) -> None:
    text = scenario("reaches: {stage: online}", faults="[{fault: connect_refused}]")
    assert said_about(read, text) == [
        "3:18: faults[0].fault: expected a fault of requests, since these devices speak HTTP, got 'connect_refused'"
    ]


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ("rate: {of: poll, at_most: 0}", "rate.at_most: expected a number of at least 1 (`never: {sends: {name: …}}`"),
        ("attempts: {at_least: 0}", f"attempts: {ALWAYS}"),
        ("gap: {at_least: 0s}", f"gap: {ALWAYS}"),
        ("sends: {name: poll, times: {at_least: 0}}", f"sends.times: {ALWAYS}"),
        ("refused: {times: {at_least: 0}}", f"refused.times: {ALWAYS}"),
        ("reaches: {stage: online, devices: 0}", "reaches: devices: 0 always holds"),
        ("registry: {devices: 0, in_state: registered}", "registry: of 0 records there is nothing else to compare"),
        ("registry: {attributes: {}}", "registry: attributes: {} says nothing"),
        ("sends: {method: put}", "sends.method: expected CONNECT, DELETE, GET, HEAD"),
        ('never: {sends: {line: "poll"}}', f"never.sends.line: {LINE}, got 'poll'"),
        ('never: {receives: {line: "CONNACK 5"}}', "never.receives.line: expected a glob over an answer's status"),
        (
            "fault: {kind: outage, times: 0}",
            "no fault outage is set up to here, so it cannot be triggered; none",
        ),
        ("keeps_secrets", "keeps_secrets is about the programs of devices (external: true)"),
        ("one_address", "one_address is about the programs of devices (external: true)"),
    ],
)
def test_a_check_that_could_not_fail_is_a_mistake(read: Read, check: str, sentence: str) -> None:
    (said,) = said_about(read, scenario(check))
    assert said.startswith("9:")
    assert sentence in said


FROM_THE_START = [
    "never: {sends: {name: download}}",
    "sends: {name: download, times: 0}",
    "receives: {status: 401, times: {at_most: 3}}",
    "refused: {times: 0}",
    "rate: {of: poll, at_most: 3}",
    "attempts: {of: poll, at_most: 3}",
    "keeps_running",
]


@pytest.mark.parametrize("check", FROM_THE_START)
def test_waiting_for_what_holds_from_the_start_watches_nothing(read: Read, check: str) -> None:
    text = scenario(check).replace("for: 10s", "within: 10s")
    assert said_about(read, text) == [
        "5:5: phases[0]: within ends as soon as all of expect holds, and all of this holds from the start: use for"
    ]
    assert expand(read(scenario(check)))
    assert expand(read(text.rstrip() + "\n              - reaches: {stage: online}\n")), (
        "then it is watched until that holds"
    )


def test_no_time_is_no_time_to_watch(read: Read) -> None:
    text = scenario(FROM_THE_START[0], do="").replace("for: 10s", "for: 0s")
    assert said_about(read, text) == ["5:5: phases[0]: for: 0s watches nothing: expected a time above 0"]


def test_a_fault_must_be_set_before_it_can_be_seen(read: Read) -> None:
    text = scenario("fault: {kind: outage}", faults="[{fault: latency, delay: 1s}]")
    assert said_about(read, text)[0].endswith("so it cannot be triggered; set are latency")
    assert expand(read(scenario("fault: {kind: outage}", faults="[{fault: outage}]")))


def test_the_command_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    text = scenario("never: {sends: {name: pol}}").replace("\n        ", "\n").strip()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "x.yaml").write_text(text)
    done = fleetrig("check", "x", cwd=tmp_path)
    assert done.returncode == 4
    assert f"got 'pol'; did you mean 'poll'?\n          - never: {{sends: {{name: pol}}}}\n{' ' * 34}^" in done.stderr
    assert fleetrig("run", "x", cwd=tmp_path).returncode == 4


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(PLATFORMS, "echo", "tests.second_platform")
    platform_models._models_for.cache_clear()
    yield
    platform_models._models_for.cache_clear()


@pytest.mark.usefixtures("echo")
def test_each_platform_has_names_of_its_own_and_a_usual_name_must_be_one(read: Read) -> None:
    echo = 'flow: echo, serial: "gw-{n}"'
    assert expand(read(scenario('never: {sends: {name: publish, line: "PINGREQ"}}', devices=echo)))
    (said,) = said_about(read, scenario("gap: {at_least: 1s}", devices=echo))
    assert said.startswith("9:9: phases[0].expect[0].gap.between: expected connect, subscribe, publish")
    assert said_about(read, scenario("rate: {of: pings, at_most: 1}", devices=echo))[0].endswith("did you mean 'ping'?")
