"""What people read when something of theirs is wrong: our words, what to do, and never those of a library.

Each row makes files in an empty folder and types a command. Whatever is said must hold the one, and none of `FOREIGN`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import system_said, tls_said
from tests.harness.command import fleetrig

FOREIGN: Final = re.compile(
    r"\[Errno|Input should be|Value error|validation error|type=\w+_|pydantic|Invalid value|No such (option|command)"
    r"|Got unexpected|requires an argument|codec can't|Expecting |Traceback|_ssl\.c|\[SSL|Port (could not|out of range)"
    r"|Invalid IPv6|No closing quotation|invalid literal|could not convert|object has no|unexpected keyword|NoneType"
    r"|<class |<.* object at 0x|getaddrinfo|mapping values are not|while (parsing|scanning)|unexpected end of data"
    r"|\bIs a directory\b(?!:)|syntax error|not well-formed|at position \d"
)
"""Of pydantic, typer, codecs, json, ssl, urllib, shlex, yaml, csv, expat, re, and errors of the system by number."""

SCENARIO: Final = "scenario: It works\ndevices: {flow: hawkbit, count: 2}\nphases: [{name: a, for: 1s}]\n"
NOBODY: Final = "http://127.0.0.1:9"
DOCTOR: Final = f"doctor hawkbit --id x --against {NOBODY}"
SIMULATE: Final = f"simulate hawkbit --against {NOBODY} --for 1s"
FILES: Final[dict[str, str | bytes]] = {
    "good.yaml": SCENARIO,
    "folder/inside": "",
    "text": "nothing\n",
    "empty": b"",
    "bytes": bytes(range(128, 256)),
    "latin.yaml": b"scenario: sch\xf6n\n",
    "colon.yaml": "scenario: a: b\n",
    "open.yaml": 'scenario: "x\n',
    "list.yaml": "- 1\n",
    "typed.yaml": SCENARIO.replace("count: 2", "count: many").replace("for: 1s", "for: 1x"),
    "small.yaml": SCENARIO.replace("count: 2", "count: 0").replace("hawkbit", "hawkbt"),
    "key.yaml": SCENARIO.replace("phases", "phasis"),
    "units.csv": "name,token\na,b\n",
    "quote.csv": '"serial\n',
    "latin.csv": b"serial\n\xff\n",
    "cert.csv": "serial,certificate\nA,nope.pem\n",
    "port.yaml": "http: http://h:99999\n",
    "server.yaml": "htp: http://127.0.0.1:9\n",
    "env.yaml": f"http: {NOBODY}\nuser: a\npassword: env:NO_SUCH_VARIABLE\n",
    "bench.yaml": 'boards: {left: {type: x, port: /dev/x, baud: fast, console: {kind: uboot, prompt: "["}}}\n',
    "study.study.yaml": "study: x\nscenario: outage/recovery\nlimit: 1\nsweep: {policy: []}\nseeds: 0\n",
    "trace.jsonl": b"\xff\n",
    "broken.json": '{"a": ',
    "half.xml": "<esf:configurations",
}


class Row(NamedTuple):
    words: str
    code: int
    said: str


ROWS: Final = [
    # files of scenarios
    Row("check colon.yaml", 4, "colon.yaml:1:12: a colon where no key can stand"),
    Row("check open.yaml", 4, "this is never closed"),
    Row("check list.yaml", 4, "expected a mapping (key: value) that begins with scenario"),
    Row("check typed.yaml", 4, "devices.count: expected a whole number, got 'many'"),
    Row("check typed.yaml", 4, "expected a time with its unit, such as 500ms, 30s, 5m or 1h, got '1x'"),
    Row("check small.yaml", 4, "expected a number of at least 1, got the number 0"),
    Row("check small.yaml", 4, "did you mean 'hawkbit'?"),
    Row("check key.yaml", 4, "'phasis' is not known here; did you mean 'phases'?"),
    Row("check latin.yaml", 4, "the file is not UTF-8 text (byte 0xf6)"),
    Row("check empty", 4, "the file is empty"),
    Row("study study.study.yaml", 4, "seeds: expected a number of at least 1, got the number 0"),
    # options
    Row("run good.yaml --jobs x", 4, "--jobs: expected a whole number, got 'x'"),
    Row("run good.yaml --jobs 0", 4, "--jobs: expected a number of at least 1, got '0'"),
    Row("run good.yaml --time reel", 4, "--time: expected virtual or real, got 'reel'; did you mean real?"),
    Row("run good.yaml --engine", 4, "--engine needs a value: --engine exact|cohort"),
    Row("run good.yaml --sede 3", 4, "fleetrig run has no option --sede; did you mean --seed?"),
    Row("schema scenari", 4, "KIND: expected scenario or bench or study, got 'scenari'; did you mean scenario?"),
    Row("run good.yaml --device-command '\"x'", 4, "cannot be taken apart: a quote is never closed"),
    Row("run good.yaml --set nope", 4, "expected NAME=VALUE"),
    Row("run good.yaml --junit folder", 4, "--junit folder is a folder; give the name of a file"),
    Row("run good.yaml --results text", 4, "--results text is a file; give the name of a folder"),
    Row(
        "load load/steady_polling --bind :99", 4, "--bind is where a master listens for its workers: give --master too"
    ),
    Row("load load/steady_polling --source-address x", 4, "expected an IP address such as 127.0.0.2"),
    Row("load load/steady_polling --source-address 203.0.113.7", 4, "this machine has no such address"),
    Row("study outage/recovery --cluster x", 4, "'x' is no address: expected HOST:PORT"),
    Row("edge outage/collapse --until collapse --vary outage=1s..2s", 4, "did you mean collapses?"),
    # addresses and servers
    Row(f"run good.yaml --against {NOBODY}x", 4, "expected http://HOST:PORT with a port up to 65535"),
    Row("run good.yaml --against http://[::1", 4, "an IPv6 address in brackets"),
    Row("run good.yaml --against port.yaml", 4, "expected http://HOST:PORT with a port up to 65535"),
    Row("run good.yaml --against server.yaml", 4, "'htp' is not known here; did you mean 'http'?"),
    Row("run good.yaml --against env.yaml", 4, "the environment has no variable NO_SUCH_VARIABLE"),
    Row(f"run good.yaml --against {NOBODY}", 3, "nobody listens at"),
    Row(DOCTOR, 3, "the connection was"),
    Row(f"conform thingsboard create --against {NOBODY}", 3, "start the server, or check host and port"),
    # files of other kinds: not there, folders, links, bytes
    Row("run gut.yaml --scenarios .", 5, "no scenario is called gut.yaml"),
    Row("run good.yaml --policy-from trase.jsonl", 4, "there is no such file; did you mean trace.jsonl?"),
    Row("policy folder", 4, "cannot read folder: it is a folder, and a file is expected"),
    Row("report trace.jsonl", 4, "it is not UTF-8 text: byte 1 is 0xFF"),
    Row("policy trace.jsonl", 4, "it is not UTF-8 text: byte 1 is 0xFF"),
    Row("compare nope/x text", 4, "there is no folder nope"),
    Row("compare text/x text", 4, "cannot read text/x: "),
    Row("run good.yaml --ca round", 4, "cannot read the CA round: its links lead in a circle"),
    Row("run good.yaml --ca nowhere", 4, "cannot read the CA nowhere: it is a link to a file that is not there"),
    Row(f"{DOCTOR} --cert folder", 4, "it is a folder, and a file is expected"),
    Row(f"{DOCTOR} --cert bytes", 4, "bytes holds no certificate"),
    Row(f"{SIMULATE} --tokens unit.csv", 4, "cannot read unit.csv: there is no such file; did you mean units.csv?"),
    Row(f"{SIMULATE} --tokens units.csv", 4, "units.csv:1: expected a header line with the column serial"),
    Row(f"{SIMULATE} --tokens quote.csv", 4, "quote.csv:1: a quote is never closed"),
    Row(f"{SIMULATE} --tokens latin.csv", 4, "latin.csv:2: not UTF-8 text (byte 0xff)"),
    Row(f"{SIMULATE} --tokens cert.csv", 4, "cert.csv:2: cannot read nope.pem: there is no such file"),
    Row("board list --bench bench.yaml", 4, "expected a whole number, got 'fast'"),
    Row("board list --bench nope.yaml", 4, "cannot read nope.yaml: there is no such file"),
    Row("ca show nope", 4, "cannot read nope: there is no such file"),
    Row("ca new text", 4, "text is a file, and a folder is expected"),
    Row("doctor kura --configuration half.xml", 4, "no XML: it cannot be read on from line"),
    Row("doctor kura --configuration bytes", 4, "no XML: it cannot be read on from line 1, column 1"),
    Row("doctor kura --keystore broken.json", 4, "neither PEM nor a list of entries as JSON"),
    Row("doctor kura --chain text", 1, "holds no PEM"),
    Row("doctor hono --cert text --ca text", 4, "expected a certificate in PEM"),
    # our own server
    Row("serve --http nope", 4, "expected HOST:PORT with a port up to 65535"),
    Row("serve --http 127.0.0.1:0 --https 127.0.0.1:0 --cert text", 4, "text holds no PEM certificate"),
    Row("serve --http 127.0.0.1:0 --control off --store sqlite:///folder", 4, "it is a folder, expected a file"),
    Row("serve --http 127.0.0.1:0 --accounts list.yaml", 4, "list.yaml:1:3: "),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("words")
    for name, content in FILES.items():
        path = made / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
    (made / "round").symlink_to("round")
    (made / "nowhere").symlink_to("is_not_there")
    return made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.words}: {row.said}"[:90])
def test_it_is_said_in_our_words(folder: Path, row: Row) -> None:
    done = fleetrig(*shlex.split(row.words), cwd=folder)
    said = done.stdout + done.stderr
    assert row.said in " ".join(said.split()) or row.said in said, said
    assert done.returncode == row.code, said
    assert FOREIGN.findall(said) == [], said


def test_the_words_that_are_foreign_are_found() -> None:
    for said in ("Input should be a valid integer", "[Errno 2] No such", "'utf-8' codec can't decode byte 0xff"):
        assert FOREIGN.search(said)


def test_the_nearest_name_is_looked_for_in_the_same_folder(folder: Path) -> None:
    missing = FileNotFoundError(2, "No such file or directory")
    assert why_unread(folder / "certificate.der", missing) == "there is no such file"
    assert why_unread(folder / "goof.yaml", missing) == f"there is no such file; did you mean {folder}/good.yaml?"
    assert why_unread(folder / "nope" / "good.yaml", missing) == f"there is no folder {folder}/nope"
    assert why_unread(folder, PermissionError(13, "Permission denied")).startswith("this user may not read it")
    assert why_unread(folder, OSError(28, "No space left on device")).endswith("make room on that disk")


def test_what_tls_says_is_said_without_source_files() -> None:
    class Refused(OSError):
        reason = "WRONG_VERSION_NUMBER"

    class Untrusted(OSError):
        reason = "CERTIFICATE_VERIFY_FAILED"
        verify_message = "self-signed certificate"

    assert system_said(Refused(1, "[SSL: WRONG_VERSION_NUMBER] (_ssl.c:1)")) == "TLS: wrong version number"
    assert system_said(Untrusted(1, "[SSL]")) == "the certificate is not trusted: self-signed certificate"
    assert tls_said(ConnectionRefusedError(111, "Connection refused")) == ""
