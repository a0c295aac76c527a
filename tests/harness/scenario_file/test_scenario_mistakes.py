"""Every kind of mistake in a scenario file, with the words and the place that a person is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of

Read = Callable[[str], ScenarioFile]

GOOD = {
    "scenario": "scenario: A device polls",
    "params": "",
    "matrix": "",
    "devices": "devices: {flow: hawkbit}",
    "server": "",
    "faults": "",
    "do": "power_on",
    "span": "within: 10s",
    "expect": "[{reaches: {stage: online}}]",
}


def scenario(**parts: str) -> str:
    """A good file with some of its lines replaced. `do` stands on line 5 when nothing is added before."""
    part = {**GOOD, **parts}
    lines = [
        part["scenario"],
        part["params"],
        part["matrix"],
        part["devices"],
        part["server"],
        part["faults"],
        "phases:",
    ]
    lines += ["  - name: first", f"    do: {part['do']}", f"    {part['span']}", f"    expect: {part['expect']}"]
    return "\n".join(line for line in lines if line.strip()) + "\n"


def said_about(read: Read, text: str) -> list[str]:
    """The sentences of all problems, with line and column; carets are looked at elsewhere."""
    with pytest.raises(FileMistakes) as refused:
        expand(read(text), environ={"TOKEN": "hunter2"})
    return [f"{one.mark.line}:{one.mark.column}: {one.sentence}" for one in refused.value.problems]


def test_the_good_file_is_good(read: Read) -> None:
    assert [run.name for run in expand(read(scenario()))] == ["some/topic"]


FLEET = "devices: {flow: hawkbit, "
POLLING_TIME = (
    "a polling time such as 00:05:00, PT5M, 00:05:00~10% (at most 99%) or 00:05:00, group == 'fast' -> 00:00:30"
)
STATES = "unknown, registered, pending, in_sync or error"
*FIRST_NEEDS, LAST_NEED = sorted({*vocabulary_of("hawkbit").needs, "http", "https"})
NEEDS = f"{', '.join(FIRST_NEEDS)} or {LAST_NEED}"
DEVICE_KEYS = (
    "count, csv, flow, external, over, serial, children, credential, model, hw_revision, attributes, "
    "attributes_mode, start_spread, backoff, install_time, timeout, interval, poll_jitter, cohorts, confirmation"
)
TIME = "expected a time with its unit, such as 500ms, 30s, 5m or 1h"
MISTAKES = {
    "no mapping": ("- a\n", ["1:1: expected a mapping (key: value) that begins with scenario"]),
    "just text": ("hello\n", ["1:1: expected a mapping (key: value) that begins with scenario"]),
    "no title": (scenario(scenario="tags: [a]"), ["1:1: scenario is missing"]),
    "title is not first": (
        scenario(scenario="tags: [a]\nscenario: A device polls"),
        ["2:1: scenario must come first: a sentence that is true when the scenario passes"],
    ),
    "empty title": (scenario(scenario="scenario: ''"), ["1:11: scenario: expected some text, got ''"]),
    "title of two lines": (
        scenario(scenario='scenario: "a\\nb"'),
        ["1:11: scenario: expected one line, got 'a\\nb'"],
    ),
    "unknown key, near": (scenario(server="servr: {}"), ["3:1: 'servr' is not known here; did you mean 'server'?"]),
    "unknown key, far": (
        scenario(server="server: {zzz: 1}"),
        ["3:10: server: 'zzz' is not known here; known is platform, settings, properties, capacity"],
    ),
    "missing key": (scenario(devices="devices: {count: 2}"), ["2:1: devices: flow is missing"]),
    "nothing where a mapping is needed": (
        scenario(devices="devices:"),
        ["2:1: devices: expected a mapping (key: value), got nothing"],
    ),
    "text for a number": (
        scenario(devices=FLEET + "count: many}"),
        ["2:33: devices.count: expected a whole number, got 'many'"],
    ),
    "quoted number": (
        scenario(devices=FLEET + 'count: "3"}'),
        ["2:33: devices.count: expected a whole number, got '3'"],
    ),
    "true for a number": (
        scenario(devices=FLEET + "count: true}"),
        ["2:33: devices.count: expected a whole number, got true"],
    ),
    "number too small": (
        scenario(devices=FLEET + "count: 0}"),
        ["2:33: devices.count: expected a number of at least 1, got the number 0"],
    ),
    "policy that is none": (
        scenario(devices=FLEET + "backoff: {policy: full_jiter}}"),
        [
            ("2:44: devices.backoff.policy: expected none, immediate, fixed, linear, exponential, full_jitter, "
             "equal_jitter or decorrelated_jitter, got 'full_jiter'; did you mean 'full_jitter'?")
        ],
    ),
    "client that is none": (
        scenario(devices=FLEET + "backoff: {client: swupdat}}"),
        [
            ("2:44: devices.backoff.client: expected swupdate, rauc_hawkbit_updater, kura, thingsboard_python_sdk, "
             "paho_python, paho_java, esp_mqtt, aws_iot_mqtt311 or aws_iot_embedded_c, got 'swupdat'; "
             "did you mean 'swupdate'?")
        ],
    ),
    "client and more": (
        scenario(devices=FLEET + "backoff: {client: swupdate, base: 2s}}"),
        [
            ("2:26: devices.backoff: client: swupdate says all of it: leave the others away, or write numbers down "
             "instead of its name")
        ],
    ),
    "budget of more than all": (
        scenario(devices=FLEET + "backoff: {budget: {share: 150%}}}"),
        ["2:52: devices.backoff.budget.share: expected a share of more than 0% and at most 100%, got '150%'"],
    ),
    "budget as a number": (
        scenario(devices=FLEET + "backoff: {budget: {share: 0.1}}}"),
        [
            ("2:52: devices.backoff.budget.share: expected a share of the requests, such as 10%, got the number 0.1")
        ],
    ),
    "budget of no tokens": (
        scenario(devices=FLEET + "backoff: {budget: {burst: 0}}}"),
        ["2:52: devices.backoff.budget.burst: expected a number of at least 1, got the number 0"],
    ),
    "breaker that opens by itself": (
        scenario(devices=FLEET + "backoff: {breaker: {after: 0}}}"),
        ["2:53: devices.backoff.breaker.after: expected a number of at least 1, got the number 0"],
    ),
    "breaker that nobody notices": (
        scenario(devices=FLEET + "backoff: {breaker: {open: 0s}}}"),
        [
            ("2:36: devices.backoff.breaker: a device that is silent for 0s is not silent: "
             "expected open or spread above 0s")
        ],
    ),
    "first delay the wrong way round": (
        scenario(devices=FLEET + "backoff: {first: [60s, 5s]}}"),
        [
            ("2:36: devices.backoff.first: expected two times, the shorter one first, such as [0s, 60s]")
        ],
    ),
    "first delay of one time": (
        scenario(devices=FLEET + "backoff: {first: [60s]}}"),
        ["2:36: devices.backoff.first: expected two times, the shorter one first, such as [0s, 60s]"],
    ),
    "number for text": (
        scenario(devices=FLEET + "model: 1.0}"),
        ["2:33: devices.model: expected text (put it in quotes), got the number 1.0"],
    ),
    "mapping for a single value": (
        scenario(devices=FLEET + "attributes: {a: {b: c}}}"),
        ["2:39: devices.attributes.a: expected a single value (text, number, true or false)"],
    ),
    "word that is none of several": (
        scenario(devices=FLEET + "credential: gateway}"),
        [
            ("2:38: devices.credential: expected target_token, wrong_target_token, gateway_token, "
             "certificate, untrusted_certificate, expired_certificate, foreign_certificate or none, "
            "got 'gateway'; did you mean 'gateway_token'?")
        ],
    ),
    "bare number for a time": (scenario(span="within: 30"), [f"6:13: phases[0].within: {TIME}, got the number 30"]),
    "unknown unit of time": (scenario(span="within: 30sec"), [f"6:13: phases[0].within: {TIME}, got '30sec'"]),
    "bare number for a size": (
        scenario(do='{deploy: {version: "1", size: 4096}}'),
        [
            ("5:39: phases[0].do[0].deploy.size: expected a size with its unit, such as 512B, 4KiB or 1MiB, "
            "got the number 4096")
        ],
    ),
    "serial with a blank": (
        scenario(devices=FLEET + 'serial: "HB {n}"}'),
        [
            ("2:34: devices.serial: expected a serial without blanks, with {n} or {n:04d} for the "
            "device's number, got 'HB {n}'")
        ],
    ),
    "serial that reaches into objects": (
        scenario(devices=FLEET + 'serial: "{n.__class__}"}'),
        [
            ("2:34: devices.serial: expected a serial without blanks, with {n} or {n:04d} for the "
            "device's number, got '{n.__class__}'")
        ],
    ),
    "one serial for many devices": (
        scenario(devices=FLEET + "count: 2, serial: HB}"),
        ["2:1: devices: serial needs {n} when there are several devices"],
    ),
    "unknown action": (
        scenario(do="power_of"),
        ["5:9: phases[0].do[0]: 'power_of' is not known here; did you mean 'power_on'?"],
    ),
    "action without what it needs": (scenario(do="deploy"), ["5:9: phases[0].do[0].deploy: version is missing"]),
    "two words in one entry": (
        scenario(do="[{power_on: {}, wait: 5s}]"),
        ["5:10: phases[0].do[0]: expected one word in an entry, not power_on and wait; give each an entry of its own"],
    ),
    "an empty entry": (scenario(do="[{}]"), ["5:10: phases[0].do[0]: expected a word, got nothing"]),
    "no settings": (
        scenario(do="{configure: {}}"),
        ["5:10: phases[0].do[0].configure: expected at least one entry, got nothing"],
    ),
    "no point to cut at": (
        scenario(do="{power_on: {cut_at: poll#1}}"),
        [
            ("5:29: phases[0].do[0].power_on.cut_at: expected a point to cut power at, such as poll#1:sent "
            "(<effect>#<n>:before|sent|answered), got 'poll#1'")
        ],
    ),
    "how often": (
        scenario(expect="[{sends: {times: often}}]"),
        [("7:30: phases[0].expect[0].sends.times: expected a number, or a mapping with at_least, at_most or both, "
         "got 'often'")],
    ),
    "bounds the wrong way round": (
        scenario(expect="[{sends: {times: {at_least: 3, at_most: 2}}}]"),
        ["7:23: phases[0].expect[0].sends.times: at_most (2) is less than at_least (3)"],
    ),
    "an authority where nobody shows a certificate": (
        scenario(do="{rotate: {what: authority}}"),
        ["1:1: phase 'first': rotate is about certificates, and these devices show none (credential: target_token)"],
    ),
    "authorities retired where nobody shows a certificate": (
        scenario(do="retire_authorities", devices=FLEET + "credential: none}"),
        [("1:1: phase 'first': retire_authorities is about certificates, and these devices show none "
          "(credential: none)")],
    ),
    "a gap without bounds": (
        scenario(expect="[{gap: {between: poll}}]"),
        ["7:15: phases[0].expect[0].gap: expected at_least, at_most or both"],
    ),
    "a gap with bounds the wrong way round": (
        scenario(expect="[{gap: {at_least: 9s, at_most: 3s}}]"),
        ["7:15: phases[0].expect[0].gap: at_most is less than at_least"],
    ),
    "attempts with bounds the wrong way round": (
        scenario(expect="[{attempts: {at_least: 5, at_most: 2}}]"),
        ["7:15: phases[0].expect[0].attempts: at_most is less than at_least"],
    ),
    "a record of which no unit must have passed": (
        scenario(expect="[{record: {passed: 0}}]"),
        ["7:15: phases[0].expect[0].record: passed: 0 always holds: expected all, or at least 1"],
    ),
    "an order of one": (
        scenario(expect="[{order: [sends]}]"),
        ["7:15: phases[0].expect[0].order: expected at least two steps, since one has no order"],
    ),
    "a count inside never": (
        scenario(expect="[{never: {sends: {times: 2}}}]"),
        [
            ("7:15: phases[0].expect[0].never: inside order and never nothing is counted: "
            "give times or devices in a check of its own")
        ],
    ),
    "a registry that compares nothing": (
        scenario(expect="[{registry: {only: 'A*'}}]"),
        ["7:15: phases[0].expect[0].registry: expected something to compare, such as in_state or attributes"],
    ),
    "absent and more": (
        scenario(expect="[{registry: {absent: true, devices: 1}}]"),
        ["7:15: phases[0].expect[0].registry: a record that is absent has nothing else to compare"],
    ),
    "no row of a contract": (
        scenario(expect="[{refused: {}, cites: [S41]}]"),
        ["7:36: phases[0].expect[0].cites[0]: expected a row of a contract, such as hawkbit#S41, got 'S41'"],
    ),
    "severity": (
        scenario(expect="[{refused: {}, severity: warn}]"),
        ["7:38: phases[0].expect[0].severity: expected error or warning, got 'warn'; did you mean 'warning'?"],
    ),
    "severity in a check": (
        scenario(expect="[{refused: {severity: warning}}]"),
        ["7:25: phases[0].expect[0].refused: 'severity' is not known here: it stands beside 'refused', not below it"],
    ),
    "both spans": (
        scenario(span="within: 1s\n    for: 1s"),
        ["4:5: phases[0]: within waits and for watches the whole span: give one of them"],
    ),
    "no span": (
        scenario(span=""),
        ["4:5: phases[0]: expect needs within (how long to wait at most) or for (how long to watch)"],
    ),
    "nothing to wait for": (
        scenario(expect="[]"),
        ["4:5: phases[0]: within waits for what expect says: add expect, or use for"],
    ),
    "no phases": (
        "scenario: a\ndevices: {flow: hawkbit}\nphases: []\n",
        ["3:1: phases: expected at least one entry, got nothing"],
    ),
    "two phases of one name": (
        scenario() + "  - {name: first, for: 1s}\n",
        ["1:1: two phases are called 'first'"],
    ),
    "a parameter of another fault": (
        scenario(faults="faults: [{fault: outage, status: 503}]"),
        ["3:10: faults[0]: status is a parameter of the fault capacity or moved or overload or rewrite, not of outage"],
    ),
    "latency without delay": (
        scenario(faults="faults: [{fault: latency}]"),
        ["3:10: faults[0]: latency needs a delay"],
    ),
    "an impossible share": (
        scenario(faults="faults: [{fault: outage, share: 1.5}]"),
        ["3:33: faults[0].share: expected a number above 0 and up to 1, got the number 1.5"],
    ),
    "a list that is none": (
        scenario(faults="faults: {fault: outage}"),
        ["3:1: faults: expected a list"],
    ),
    "a place that names nothing": (
        scenario(params="params: {count: 3}", devices=FLEET + 'count: "${cuont}"}'),
        [
            "2:10: count is never used: write ${count} where it belongs",
            "3:34: ${cuont} stands for nothing: 'cuont' is not known here; did you mean 'count'?",
        ],
    ),
    "a place with logic": (
        scenario(params="params: {n: 3}", devices=FLEET + 'count: "${n}", model: "a ${n + 1}"}'),
        ["3:51: ${n + 1} stands for nothing: 'n + 1' is not known here; known is n"],
    ),
    "a place without names": (
        scenario(do='{power_on: {only: "${x}"}}'),
        ["5:28: ${x} stands for nothing: 'x' is not known here; known is nothing"],
    ),
    "a place that is never closed": (
        scenario(devices=FLEET + 'model: "a ${n"}'),
        ["2:36: ${ is never closed"],
    ),
    "a place in a key": (
        scenario(params="params: {n: 3}", devices=FLEET + 'model: "${n}", attributes: {"${n}": 1}}'),
        ["3:54: keys are not filled in, only values"],
    ),
    "a place in params": (
        scenario(params='params: {n: 3, m: "${n}"}', devices=FLEET + 'model: "${m}"}'),
        ["2:20: ${n} stands for nothing: 'n' is not known here; known is nothing"],
    ),
    "the environment in matrix": (
        scenario(matrix='matrix: {n: ["${env:TOKEN}"]}', devices=FLEET + 'model: "${n}"}'),
        ["2:15: the environment cannot stand in matrix: its values are part of the name"],
    ),
    "a variable that is not set": (
        scenario(devices=FLEET + 'attributes: {a: "${env:NOT_SET}"}}'),
        ["2:43: the environment variable NOT_SET is not set"],
    ),
    "a list inside a text": (
        scenario(params="params: {l: [1]}", devices=FLEET + 'model: "a ${l}"}'),
        ["3:36: ${l} stands for more than a single value and must stand alone"],
    ),
    "a name in params and matrix": (
        scenario(params="params: {n: x}", matrix="matrix: {n: [y]}", devices=FLEET + 'model: "${n}"}'),
        ["3:10: n stands in params as well"],
    ),
    "a name that cannot be written": (
        scenario(params="params: {a-b: 1}"),
        [
            "2:10: a-b is never used: write ${a-b} where it belongs",
            "2:10: params.a-b: expected a name of letters, digits and _, got 'a-b'",
        ],
    ),
    "matrix of one value": (
        scenario(matrix="matrix: {n: x}", devices=FLEET + 'model: "${n}"}'),
        ["2:13: matrix.n: expected a list of single values, or power_cut_points, got 'x'"],
    ),
    "matrix with a value twice": (
        scenario(matrix="matrix: {n: [1, 1]}", devices=FLEET + 'model: "${n}"}'),
        ["2:10: matrix.n: expected values that differ from each other"],
    ),
    "a matrix too large": (
        scenario(
            matrix=f"matrix: {{a: {list(range(101))}, b: {list(range(100))}}}", devices=FLEET + 'model: "${a}${b}"}'
        ),
        ["1:1: matrix makes 10,100 combinations, expected at most 10,000 combinations (each of them is a run)"],
    ),
    "some of its values do not fit": (
        scenario(matrix="matrix: {c: [1, 0, x]}", devices=FLEET + 'count: "${c}"}'),
        [
            "3:33: devices.count: expected a number of at least 1, got the number 0 from ${c}",
            "3:33: devices.count: expected a whole number, got 'x' from ${c}",
        ],
    ),
    "a parameter of the wrong type": (
        scenario(params="params: {t: 30}", span="within: ${t}"),
        [f"7:13: phases[0].within: {TIME}, got the number 30 from ${{t}}"],
    ),
    "a secret of the wrong type": (
        scenario(server='server: {settings: {pollingTime: "${env:TOKEN}"}}'),
        [f"3:34: server.settings.pollingTime: expected {POLLING_TIME}, got what ${{env:TOKEN}} stands for"],
    ),
    "a secret of the wrong type by way of params": (
        scenario(params='params: {t: "${env:TOKEN}"}', server='server: {settings: {pollingTime: "${t}"}}'),
        [f"4:34: server.settings.pollingTime: expected {POLLING_TIME}, got what ${{t}} stands for"],
    ),
    "a setting that is not known": (
        scenario(server='server: {settings: {pollngTime: "00:00:05"}}'),
        ["3:21: server.settings: 'pollngTime' is not known here; did you mean 'pollingTime'?"],
    ),
    "a switch that is none": (
        scenario(server="server: {settings: {authentication.gatewaytoken.enabled: on}}"),
        [
            "3:58: server.settings.authentication.gatewaytoken.enabled: expected true or false, got 'on'",
        ],
    ),
    "a polling time that is none": (
        scenario(server="server: {settings: {pollingTime: 5s}}"),
        [
            f"3:34: server.settings.pollingTime: expected {POLLING_TIME}, got '5s'",
        ],
    ),
    "a setting that is empty": (
        scenario(server="server: {settings: {pollingTime: null}}"),
        ["3:21: server.settings.pollingTime: expected text, got nothing"],
    ),
    "a setting to configure that is not known": (
        scenario(do="{configure: {polingTime: PT5S, maintenanceWindowPollCount: x}}"),
        [
            "5:22: phases[0].do[0].configure: 'polingTime' is not known here; did you mean 'pollingTime'?",
            "5:68: phases[0].do[0].configure.maintenanceWindowPollCount: expected a whole number, got 'x'",
        ],
    ),
    "nothing to configure": (
        scenario(do="{configure: {}}"),
        ["5:10: phases[0].do[0].configure: expected at least one entry, got nothing"],
    ),
    "a flow that is not known": (
        scenario(devices="devices: {flow: hawkbitt, credential: none}", do="[{deploy: {version: 1.0}}]"),
        [
            "2:17: devices.flow: expected hawkbit, thingsboard, hono or kura, got 'hawkbitt'; did you mean 'hawkbit'?",
            "5:29: phases[0].do[0].deploy.version: expected text (put it in quotes), got the number 1.0",
        ],
    ),
    "a platform that is not known": (
        scenario(server="server: {platform: hawkbitt}"),
        ["3:20: server.platform: expected hawkbit, thingsboard, hono or kura, got 'hawkbitt'; did you mean 'hawkbit'?"],
    ),
    "a transport that the flow has not": (
        scenario(devices=FLEET + "over: mqtt}"),
        ["2:32: devices.over: expected http, got 'mqtt'"],
    ),
    "a state that the platform has not": (
        scenario(expect="[{registry: {in_state: in_sink}}]"),
        [
            f"7:36: phases[0].expect[0].registry.in_state: expected {STATES}, got 'in_sink'; did you mean 'in_sync'?",
        ],
    ),
    "a field that its records have not": (
        scenario(expect="[{registry: {instaled: x}}]"),
        ["7:26: phases[0].expect[0].registry: 'instaled' is not known here; did you mean 'installed'?"],
    ),
    "a need that nobody can meet": (
        scenario(devices="devices: {flow: hawkbit}\nneeds: [hawkbit.fastpolling]"),
        [f"3:9: needs[0]: expected {NEEDS}, got 'hawkbit.fastpolling'; did you mean 'hawkbit.fast_polling'?"],
    ),
    "a hook of tests": (
        scenario(devices=FLEET + "behaviour: clever}"),
        [f"2:26: devices: 'behaviour' is not known here; known is {DEVICE_KEYS}"],
    ),
    "several at once": (
        scenario(devices=FLEET + "cont: 1, timeout: 5}", do="[powr_on, {wait: 1}]", expect="[{reaches: {}}]"),
        [
            "2:26: devices: 'cont' is not known here; did you mean 'count'?",
            f"2:44: devices.timeout: {TIME}, got the number 5",
            "5:10: phases[0].do[0]: 'powr_on' is not known here; did you mean 'power_on'?",
            f"5:26: phases[0].do[1].wait: {TIME}, got the number 1",
            "7:15: phases[0].expect[0].reaches: stage is missing",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_place(read: Read, case: str) -> None:
    text, said = MISTAKES[case]

    assert said_about(read, text) == said


def test_a_problem_shows_the_line_and_a_caret(read: Read) -> None:
    with pytest.raises(FileMistakes) as refused:
        read(scenario(span="within: 30"))

    assert str(refused.value) == (
        f"x.yaml:6:13: phases[0].within: {TIME}, got the number 30\n        within: 30\n                ^"
    )
    assert refused.value.exit_code == 4


def test_a_value_from_params_is_judged_where_it_stands(read: Read) -> None:
    text = scenario(params="params:\n  checks:\n    - reaches: {stage: onlin}", expect="${checks}")

    assert said_about(read, text) == [
        (
            "10:13: phases[0].expect[0].reaches.stage: expected blank, enrolling, backing_off, enrolled, online, "
            "updating, moving or refused, got 'onlin' from ${checks}; did you mean 'online'?"
        )
    ]


UNITS = "devices: {flow: hawkbit, csv: units/u.csv}"
BROKEN_LISTS = {
    "absent": (None, "expected a file that exists (paths are relative to the scenario file), got 'units/u.csv'"),
    "empty": (b"", "u.csv:1: expected a header line with the column serial"),
    "no serials": (b"name\nA\n", "u.csv:1: expected a header line with the column serial"),
    "semicolons": (
        b"serial;token\nA;x\n",
        "u.csv:1: expected a header line with the column serial (separated by commas, not ';')",
    ),
    "a column twice": (
        b"serial,a,a\nA,1,2\n",
        "u.csv:1: expected columns that have names and differ from each other",
    ),
    "a header only": (b"serial\n", "u.csv:1: expected at least one unit after the header"),
    "too few values": (
        b"serial,token\nA,x\n\nB\n",
        "u.csv:4: expected 2 values as in the header, got 1",
    ),
    "no serial": (b"serial,token\n,x\n", "u.csv:2: expected a serial without blanks"),
    "a serial twice": (
        b"serial\nA\nB\nA\n",
        "u.csv:4: the serial 'A' stood on an earlier line",
    ),
    "a quote that never ends": (b'serial\nA\n"B\n', "u.csv:3: a quote is never closed"),
    "not UTF-8": (b"serial\nA\n\xfc\n", "u.csv:3: not UTF-8 text (byte 0xfc)"),
}


@pytest.mark.parametrize("case", BROKEN_LISTS)
@pytest.mark.parametrize("where", ["devices", "preregister"])
def test_a_broken_production_list_is_told_with_its_line(read: Read, where: str, case: str) -> None:
    content, said = BROKEN_LISTS[case]
    if content is not None:
        Path("units").mkdir()
        Path("units/u.csv").write_bytes(content)
    here, place = (
        ({"devices": UNITS}, "2:31: devices.csv: ")
        if where == "devices"
        else ({"do": "{preregister: {csv: units/u.csv}}"}, "5:29: phases[0].do[0].preregister.csv: ")
    )

    assert said_about(read, scenario(**here)) == [place + said]
