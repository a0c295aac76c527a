"""The doctor, called as a command, and a server that all its tests share."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fleetrig.harness.cli import _prepared, _run
from fleetrig.harness.servers.serve_process import ServeProcess
from tests.harness.doctor.kura.bench import KuraBench
from tests.harness.doctor.kura.material import SECRETS
from tests.harness.doctor.kura.seeds import SeededGateway

NUMBERS = itertools.count(1)
LISTENERS = ("--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--mqtts", "127.0.0.1:0")


@dataclass(frozen=True)
class KuraPage:
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


Doctor = Callable[..., KuraPage]


@pytest.fixture(scope="session")
def kura_command() -> Any:
    """Made once: that takes longer than what it does in most tests."""
    return _prepared(["doctor", "kura"])


@pytest.fixture
def doctor(kura_command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command. `masked`: further secrets, which must not be shown either."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)

    def call(*options: str, masked: tuple[str, ...] = ()) -> KuraPage:
        code = _run(kura_command, ["doctor", "kura", *options, "--json"])
        said = capsys.readouterr()
        assert said.out, said.err
        document = json.loads(said.out)
        text = json.dumps(document, ensure_ascii=False)
        assert not any(secret in text for secret in (*SECRETS.values(), *filter(None, masked)))
        assert code == document["exit_code"]
        return KuraPage(code, document, text)

    return call


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuraBench]:
    with ServeProcess(tmp_path_factory.mktemp("kura"), "--platform", "kura", *LISTENERS) as served:
        found = KuraBench(served.ready)
        try:
            yield found
        finally:
            found.close()


@pytest.fixture
def gateway() -> SeededGateway:
    return SeededGateway(next(NUMBERS))
