"""A running ThingsBoard of our own that the doctor is called to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import _prepared, _run
from fleetrig.harness.doctor.page import COMMAND_INDENT, MARGIN, WIDTH
from tests.harness.doctor.thingsboard.bench import KEY, LISTENERS, SECRET, TOKEN, Bench
from tests.harness.served import Served

SERVE = ("--platform", "thingsboard", *(f"--{name}=127.0.0.1:0" for name in LISTENERS if name != "http"))
OTHER = "another-secret-89abcdef"


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Bench]:
    """A server of its own, with these options."""
    with Served(folder, *SERVE, *options) as served:
        bench = Bench(served.ready, folder)
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture(scope="session")
def thingsboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("thingsboard")) as bench:
        yield bench


@pytest.fixture
def bench(thingsboard: Bench) -> Bench:
    """Empty but for its default profile."""
    thingsboard.tidy()
    return thingsboard


@dataclass(frozen=True)
class Page:
    """What the doctor said."""

    code: int
    document: dict[str, Any]
    text: str

    @property
    def names(self) -> list[str]:
        """The diagnoses that are more than notes, in their order."""
        return [one["name"] for one in self.document["diagnoses"] if one["weight"] != "note"]

    @property
    def notes(self) -> list[str]:
        return [one["name"] for one in self.document["diagnoses"] if one["weight"] == "note"]

    def one(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.document["diagnoses"] if one["name"] == name]
        return dict(found)


Doctor = Callable[..., Page]
SECRETS = {
    "KEY": KEY, "SECRET": SECRET, "OTHER": OTHER, "TOKEN": TOKEN, "BLANK_TOKEN": f"{TOKEN} \n", "EMPTY_KEY": " ",
    "TB_PASSWORD": "tenant", "QUOTED": f'"{TOKEN}"', "PASSWORD": "pass-of-gw-17",
}  # fmt: skip


@pytest.fixture(scope="session")
def command() -> Any:
    """Made once: that takes longer than what it does in most tests."""
    return _prepared(["doctor", "thingsboard"])


@pytest.fixture
def doctor(command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command for one server, with secrets in the environment; none of them is ever shown."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)

    def call(bench: Bench | str, *options: str, over: str = "http", ca: bool = True) -> Page:
        words = ["doctor", "thingsboard", "--against", bench if isinstance(bench, str) else bench.url]
        if isinstance(bench, Bench):
            words += ["--over", over if "://" in over else bench.over(over)]
            words += ["--ca", bench.server_ca] if ca and over.partition(":")[0] in ("mqtts", "coaps", "https") else []
        code = _run(command, [*words, *options, "--json"])
        said = capsys.readouterr()
        assert said.out, said.err
        document = json.loads(said.out)
        text = json.dumps(document, ensure_ascii=False)
        for secret in (KEY, SECRET, OTHER, TOKEN, SECRETS["PASSWORD"]):
            assert secret not in text, secret
        assert code == document["exit_code"]
        return Page(code, document, text)

    return call


def too_wide(line: str) -> bool:
    """Commands are left whole; they are indented less than text."""
    is_command = line.startswith(COMMAND_INDENT) and not line.startswith(MARGIN * " ")
    return len(line) > WIDTH and not is_command
