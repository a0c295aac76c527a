"""A running Hono of our own that the doctor is called to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import _prepared, _run
from fleetrig.harness.servers.serve_process import ServeProcess
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.harness.doctor.hono.bench import LISTENERS, OTHER, PASSWORD, HonoBench, now_us

HOSTS = ("localhost", "127.0.0.1", "acme.localhost")


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[HonoBench]:
    """A server of its own, with these options."""
    own = CertificateAuthority("Server CA", now_us())
    issued = own.issue_server(HOSTS)
    for name, content in (("ca", own.certificate_pem), ("cert", issued.certificate_pem), ("key", issued.key_pem)):
        (folder / f"{name}.pem").write_bytes(content)
    addresses = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
    tls = ("--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem"))
    with ServeProcess(folder, "--platform", "hono", *addresses, *tls, *options) as served:
        bench = HonoBench(served.ready, folder, str(folder / "ca.pem"))
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture(scope="session")
def hono(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HonoBench]:
    with serving(tmp_path_factory.mktemp("hono")) as bench:
        yield bench


@pytest.fixture
def bench(hono: HonoBench) -> HonoBench:
    """Without any tenant."""
    hono.tidy()
    return hono


@dataclass(frozen=True)
class HonoPage:
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


Doctor = Callable[..., HonoPage]
SECRETS = {"PASSWORD": PASSWORD, "OTHER": OTHER}


@pytest.fixture(scope="session")
def command() -> Any:
    """Made once: that takes longer than what it does in most tests."""
    return _prepared(["doctor", "hono"])


@pytest.fixture
def doctor(command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command; without a bench for files alone. No secret is ever shown."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)

    def call(bench: HonoBench | None, *options: str, over: str = "mqtts") -> HonoPage:
        words = ["doctor", "hono", "--over", over]
        if bench is not None:
            words = ["doctor", "hono", "--against", bench.registry, "--over", bench.over(over), "--within", "30"]
            words += ["--server-ca", bench.server_ca]
        code = _run(command, [*words, *options, "--json"])
        said = capsys.readouterr()
        assert said.out, said.err
        document = json.loads(said.out)
        text = json.dumps(document, ensure_ascii=False)
        assert not any(secret in text for secret in SECRETS.values())
        assert code == document["exit_code"]
        return HonoPage(code, document, text)

    return call
