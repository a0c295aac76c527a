"""The fixtures of the plugin, as projects of other people use them; each test is a pytest within it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from fleetrig.harness.platforms import PLATFORMS
from tests.harness.runs import HEAD, PASSES, write_scenario
from tests.harness.served import Served
from tests.harness.test_pytest_plugin import pytest_in

pytestmark = pytest.mark.slow

STRICT = ("-W", "error", "--strict-markers", "-rs", "--import-mode", "importlib")


def write_test(folder: Path, text: str) -> None:
    """Under a name that no other test has: all are imported by this process."""
    (folder / f"test_{folder.name}.py").write_text("import pytest\n" + dedent(text))


def passing(folder: Path, text: str, *words: str) -> str:
    """What a pytest says that must be green."""
    write_test(folder, text)
    code, said = pytest_in(folder, *STRICT, *words)
    assert code == 0, said
    return said


MARKED = """
@pytest.mark.fleetrig(profile="0.9", properties={"hawkbit.controller.minPollingTime": "00:00:01"})
class TestOld:
    @pytest.mark.fleetrig(profile="as-documented")
    def test_the_nearest_marker_wins(self, hawkbit_server):
        assert hawkbit_server.profile == "as-documented"
        assert hawkbit_server.properties == {"hawkbit.controller.minPollingTime": "00:00:01"}

@pytest.mark.fleetrig("hono", profile="1")
@pytest.mark.fleetrig("hawkbit", profile="0.9")
def test_a_marker_may_be_for_one_platform(hawkbit_server, hono_server):
    assert (hawkbit_server.profile, hono_server.profile) == ("0.9", "1")
"""


def test_a_marker_says_how_the_server_is_started(tmp_path: Path) -> None:
    assert "2 passed" in passing(tmp_path, MARKED)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ('profil="0.9"', "expected one of profile, properties, store, addresses, got 'profil'; did you mean profile?"),
        ('profile="0.8"', "profile='0.8': expected 1.1, 0.9 or as-documented; did you mean 0.9?"),
        ('addresses={"mqtt": "127.0.0.1:0"}', "there is no listener 'mqtt': expected http or https"),
        (
            'properties={"hawkbit.controller.minPolingTime": "00:00:01"}',
            "properties: no property 'hawkbit.controller.minPolingTime': did you mean hawkbit.controller.minPolling",
        ),
    ],
)
def test_a_mistake_in_a_marker_is_one_sentence(tmp_path: Path, marker: str, said: str) -> None:
    write_test(tmp_path, f"@pytest.mark.fleetrig({marker})\ndef test_x(hawkbit_server): pass\n")
    code, output = pytest_in(tmp_path, *STRICT)
    assert code == 1
    assert output.count(said) == 1
    assert "Traceback" not in output


FACTORY = """
from fleetrig.testing import BrokenBench

def test_several_servers(hawkbit_server_factory, tmp_path):
    store = tmp_path / "fleet.db"
    first = hawkbit_server_factory(store=store)
    other = hawkbit_server_factory(profile="0.9", addresses={"https": "127.0.0.1:0"})
    first.register("gw-7")
    assert other.ca.is_file() and set(other.addresses) == {"http", "https"}
    first.stop()
    with pytest.raises(BrokenBench):
        first.now()
    again = hawkbit_server_factory(store=store, addresses={"http": first.addresses["http"]})
    assert again.url == first.url
    with pytest.raises(Exception, match="the server knows gw-7 already"):
        again.register("gw-7")
    assert list(tmp_path.iterdir()) != []
"""


def test_a_factory_starts_several_and_a_store_outlives_them(tmp_path: Path) -> None:
    passing(tmp_path, FACTORY)


SHARED = """
pids, tenants = [], []

@pytest.mark.parametrize("number", range(4))
def test_each_finds_nothing_of_the_others(hawkbit_shared_server, number):
    server = hawkbit_shared_server
    assert server.register("gw-7").tenant == server.tenant
    assert server.trace(device="gw-7") == () == server.reasons()
    server.faults.add("outage")
    pids.append(server.pid)
    tenants.append(server.tenant)
    if number == 2:
        server.skip("1h")

def test_who_moves_the_clock_has_had_the_server(hawkbit_shared_server):
    assert pids[0] == pids[1] == pids[2] != pids[3] == hawkbit_shared_server.pid
    assert len(set(tenants[:3])) == 3
    assert hawkbit_shared_server.skipped_s() == 0

@pytest.fixture(scope="session")
def gateway(hawkbit_session_server):
    return hawkbit_session_server.register("gw-7")

def test_one_for_fixtures_that_live_longer(hawkbit_session_server, gateway):
    assert gateway.tenant == hawkbit_session_server.tenant == "DEFAULT"
"""


def test_a_server_is_shared_and_each_test_has_a_tenant(tmp_path: Path) -> None:
    assert "6 passed" in passing(tmp_path, SHARED)


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_platform_has_its_fixtures(tmp_path: Path, name: str) -> None:
    write_test(tmp_path, "def test_x(): pass\n")
    _, said = pytest_in(tmp_path, "--fixtures")
    fixtures = {line.split()[0] for line in said.splitlines() if line and not line[0].isspace()}
    assert {f"{name}_server", f"{name}_server_factory", f"{name}_shared_server", f"{name}_session_server"} <= fixtures
    assert "no docstring available" not in said.partition(f"{name}_server")[2]


FAILING = """
import urllib.request

def test_it_fails(hawkbit_server):
    urllib.request.urlopen(hawkbit_server.register("gw-7").url)
"""


def test_a_test_that_fails_shows_what_came_to_its_server(tmp_path: Path) -> None:
    write_test(tmp_path, FAILING)
    _, said = pytest_in(tmp_path, *STRICT)
    assert "hawkbit_server: what came" in said
    assert "refused   gw-7  401  (no Authorization header)" in said


AGAINST = """
def test_it_is_that_server(hawkbit_server, hawkbit_shared_server, hawkbit_session_server, hawkbit_server_factory):
    assert hawkbit_server.url == hawkbit_shared_server.url == hawkbit_session_server.url == "URL"
    assert hawkbit_server_factory().url == "URL"
    hawkbit_server.register("gw-7")

def test_its_devices_are_gone_after_a_test(hawkbit_server):
    hawkbit_server.register("gw-7")

def test_faults(hawkbit_server):
    hawkbit_server.faults.add("latency", delay="1ms")

@pytest.mark.fleetrig(profile="0.9")
def test_another_profile(hawkbit_server): raise AssertionError

@pytest.mark.fleetrig(properties={"hawkbit.controller.minPollingTime": "00:00:01"})
def test_another_start(hawkbit_server): raise AssertionError

def test_another_platform(hono_server): raise AssertionError
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Started by somebody else."""
    folder = tmp_path_factory.mktemp("served")
    with Served(folder, "--set", "hawkbit.controller.minPollingTime=00:00:01") as one:
        yield one


def test_against_a_reference_server_everything_works_but_what_needs_another_start(
    tmp_path: Path, served: Served
) -> None:
    url = f"http://{served.ready['http']}"
    for given in (f"http://{served.ready['control']}", str(served.ready_file)):
        said = passing(tmp_path, AGAINST.replace("URL", url), "--fleetrig-against", given)
        assert "3 passed, 3 skipped" in said
        assert "this wants a server with profile='0.9', and --fleetrig-against starts none" in said
        assert f"this needs a server of hono, and --fleetrig-against {given} is hawkbit" in said
    with urllib.request.urlopen(f"http://{served.ready['control']}/faults") as answer:
        assert json.load(answer) == {"faults": []}


def test_without_a_control_interface_what_needs_one_is_skipped_with_what_to_do(tmp_path: Path, served: Served) -> None:
    url = f"http://{served.ready['http']}"
    (tmp_path / "SERVER.yaml").write_text(f"platform: hawkbit\nhttp: {url}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfleetrig_against = SERVER.yaml\n")
    text = "def test_registers(hawkbit_server):\n    hawkbit_server.register('gw-7')\n"
    for call in ("faults.add('outage')", "reasons()", "trace()", "wait_for()", "now()", "skip('1h')"):
        text += f"def test_{len(text)}(hawkbit_server):\n    hawkbit_server.{call}\n"
    said = passing(tmp_path, text)
    assert "1 passed, 6 skipped" in said
    assert "skip needs the control interface of a reference server: give its URL as --fleetrig-against" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere", "nowhere is neither an address nor a file"),
        ("SERVER.yaml", "SERVER.yaml:1:1: "),
        ("gone.json", "cannot read gone.json"),
    ],
)
def test_a_server_that_cannot_be_meant_is_told_once_before_anything_runs(tmp_path: Path, given: str, said: str) -> None:
    (tmp_path / "SERVER.yaml").write_text("htp: http://127.0.0.1:1\n")
    write_test(tmp_path, AGAINST)
    code, output = pytest_in(tmp_path, "--fleetrig-against", given)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert output.count(said) == 1
    assert "Traceback" not in output


def test_scenario_files_run_against_that_server(tmp_path: Path, served: Served) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/passes")
    write_scenario(tmp_path, PASSES, "hawkbit/skips", HEAD + "    needs: [hawkbit.trusted_ips]\n")
    control = f"http://{served.ready['control']}"
    code, said = pytest_in(tmp_path, "scenarios", *STRICT, "--fleetrig-against", control, "--junit-xml", "out.xml")
    assert code == 0, said
    assert "1 passed, 1 skipped" in said
    assert 'name="time_mode" value="real"' in (tmp_path / "out.xml").read_text()
