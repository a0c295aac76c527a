"""The rules of the house, each with its reason: who may import whom, and how large things may grow.

import-linter holds the import rules too, through every chain of imports. Here they are read from the source of
single modules, so that they also hold for modules that are not there yet, and each can say why it exists.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("simulator", "reference_server", "harness", "hil", "testing")
PACKAGES = tuple(f"fleetrig.{folder}" for folder in FOLDERS)
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60


@dataclass(frozen=True)
class Rule:
    """Modules in `rooms` but not in `exempt` must not import `forbidden`, unless it is (in) one of `allowed`."""

    rooms: tuple[str, ...]
    forbidden: tuple[str, ...]
    reason: str
    allowed: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Home:
    """Only modules in `rooms` may import `library`."""

    library: str
    rooms: tuple[str, ...]
    reason: str


PURE_ROOMS = (
    "fleetrig.simulator.contract",
    "fleetrig.simulator.certificates",
    "fleetrig.simulator.effects",
    "fleetrig.simulator.stages",
    "fleetrig.simulator.backoff",
    "fleetrig.simulator.client_policies",
    "fleetrig.simulator.agent",
    "fleetrig.simulator.flows",
    "fleetrig.reference_server.platforms",
    "fleetrig.reference_server.mqtt_codec",
    "fleetrig.reference_server.mqtt_sessions",
    "fleetrig.reference_server.coap_messages",
    "fleetrig.reference_server.coap_rules",
)
CONTRACT = ("fleetrig.simulator.contract",)
CERTIFICATES = ("fleetrig.simulator.certificates",)
PLATFORMS = ("hawkbit", "thingsboard", "hono", "kura")
"""Those that are there, and those to come."""
PLATFORM_PARTS = tuple(f"fleetrig.harness.platforms.{name}" for name in PLATFORMS)

RULES = (
    Rule(
        ("fleetrig.simulator",),
        ("fleetrig.harness", "fleetrig.reference_server", "fleetrig.hil"),
        "a device that knew the server would share its misunderstandings, and could not be run against another one",
    ),
    Rule(
        ("fleetrig.reference_server",),
        ("fleetrig.harness", "fleetrig.hil", "fleetrig.simulator"),
        "the server is read out of the platforms' sources, never out of our device; they share the envelopes only, "
        "and the room that makes certificates, which knows no platform",
        allowed=(*CONTRACT, *CERTIFICATES),
    ),
    Rule(
        CERTIFICATES,
        ("fleetrig.simulator",),
        "whoever makes certificates knows no devices: harness and server use it too",
        allowed=(*CONTRACT, *CERTIFICATES),
    ),
    Rule(
        ("fleetrig.hil",),
        ("fleetrig.harness", "fleetrig.reference_server", "fleetrig.simulator"),
        "a bench must work for a board and a platform that nobody here wrote",
        allowed=CONTRACT,
    ),
    Rule(
        tuple(package for package in PACKAGES if package != "fleetrig.testing"),
        ("fleetrig.testing",),
        "it only names what tests of other projects may import: whoever works on fleetrig imports the thing itself",
    ),
    Rule(
        PACKAGES,
        ("fleetrig.harness.locustfile",),
        "Locust patches the standard library when imported: its file is run by locust, imported by nobody",
    ),
    Rule(
        PURE_ROOMS,
        ("asyncio", "socket", "ssl", "threading", "subprocess", "logging", "simpy", "httpx", "locust", "aiohttp"),
        "behaviour does no I/O, or it could not run in virtual time, over sockets, as load and as an oracle alike",
    ),
    Rule(
        PURE_ROOMS,
        ("time", "random", "secrets"),
        "time comes as an argument, chance as a range or a handed-in draw: the same seed must give the same run",
    ),
    Rule(
        ("fleetrig.harness",),
        PLATFORM_PARTS,
        "a platform is found through the table and imported when it is named, so that one more is a line and a folder",
        exempt=("fleetrig.harness.platforms",),
    ),
    *(
        Rule(
            (f"{room}.{name}",),
            tuple(f"{room}.{other}" for other in PLATFORMS if other != name),
            "platforms have nothing in common but what stands outside of them",
        )
        for room in ("fleetrig.harness.platforms", "fleetrig.simulator.flows", "fleetrig.reference_server.platforms")
        for name in PLATFORMS
    ),
    Rule(
        ("fleetrig.harness.scenario_file", *(f"{platform}.vocabulary" for platform in PLATFORM_PARTS)),
        (
            "fleetrig.harness.run",
            "fleetrig.harness.platform",
            "fleetrig.reference_server",
            "fleetrig.simulator.drivers",
        ),
        "a file is read, and its schema made, by words alone: no engine is imported for it",
        allowed=("fleetrig.harness.platforms",),
    ),
    Rule(
        ("fleetrig.harness.report",),
        ("fleetrig.harness", "fleetrig.simulator", "fleetrig.reference_server", "fleetrig.hil"),
        "a report listens: it reads verdicts and trace events, so that it can be written again from a stored trace",
        allowed=("fleetrig.harness.report", "fleetrig.harness.verdict", *CONTRACT),
    ),
)

HOMES = (
    Home(
        "simpy",
        (
            "fleetrig.simulator.drivers.bucketed_environment",
            "fleetrig.simulator.cohort.arrays",
            "fleetrig.simulator.cohort.processes",
        ),
        "virtual time has one implementation for devices that speak the protocol, one for fleets as arrays, and the "
        "textbook one that those are held against",
    ),
    Home(
        "numba",
        ("fleetrig.simulator.cohort.compiled",),
        "it is an extra that may be absent, and takes seconds to import: one module asks for it, when it is wanted",
    ),
    Home(
        "locust",
        (
            "fleetrig.simulator.drivers.load.device_user",
            "fleetrig.simulator.drivers.load.locust_stage",
            "fleetrig.simulator.drivers.load.locust_statistics",
            "fleetrig.harness.locustfile",
        ),
        "importing it patches the standard library",
    ),
    Home(
        "gevent",
        ("fleetrig.simulator.drivers.load", "fleetrig.harness.load"),
        "its waiting is of no use beside asyncio's, and no ordinary command shall load it",
    ),
    Home(
        "geventhttpclient",
        ("fleetrig.simulator.drivers.load.arriving_answer",),
        "one module reads HTTP answers with it",
    ),
    Home(
        "serial", ("fleetrig.hil",), "boards are reached through BoardPort, so that a fake board is a full substitute"
    ),
    Home(
        "matplotlib",
        tuple(f"fleetrig.harness.studies.{name}" for name in ("picture_style", "rate_picture", "quiet_picture")),
        "it takes a second to load, and all pictures look alike",
    ),
    *(
        Home(library, ("fleetrig.harness.studies.dask_adapter",), "an extra that may be absent")
        for library in ("dask", "distributed")
    ),
    Home("yaml", (), "the reader uses ruamel.yaml, which reads YAML 1.2"),
    Home(
        "ruamel",
        ("fleetrig.harness.scenario_file.reader",),
        "size and depth limits and line numbers are kept in one place",
    ),
    Home(
        "aiohttp",
        (),
        "the server's fronts speak HTTP by themselves, and devices by httpx; benchmarks hold both against it",
    ),
    Home(
        "OpenSSL",
        (
            "fleetrig.reference_server.fronts.tls",
            "fleetrig.reference_server.fronts.dtls",
            "fleetrig.simulator.transports.dtls_client",
        ),
        "the standard library does TLS everywhere else: this one is for listeners that take any client certificate, and"
        " for DTLS",
    ),
    Home("httpx", ("fleetrig.simulator.transports.http",), "who sends HTTP sends an envelope through the transport"),
    Home(
        "paho",
        tuple(f"fleetrig.simulator.transports.{name}" for name in ("mqtt_reading", "paho_codec", "paho_properties")),
        "devices speak MQTT by another's codec than the server, and lean on private names of it in one place",
    ),
    Home(
        "aiocoap",
        tuple(f"fleetrig.simulator.transports.{name}" for name in ("coap", "coap_messages", "coap_stack")),
        "devices speak CoAP by another's messages than the server, and lean on private names of them in one place",
    ),
)

# Calls that ask the machine for the time or for chance; their modules have pure parts too.
IMPURE_CALLS = ("datetime.now", "datetime.utcnow", "date.today", "os.urandom", "uuid.uuid1", "uuid.uuid4")
LAST_NAMES = {"print", *(call.rpartition(".")[2] for call in IMPURE_CALLS)}
"""Only calls that end so are written out: that takes longer than reading all the others."""


def within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def imports(nodes: list[ast.AST], module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yields line and full name of whatever the module imports, inside functions too."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")
                parent = here[: len(here) - node.level + is_package]
                base = ".".join([*parent, base]).rstrip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def import_violations(nodes: list[ast.AST], module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    rules = [rule for rule in RULES if within(module, rule.rooms) and not within(module, rule.exempt)]
    for line, name in imports(nodes, module, is_package=is_package):
        library = name.split(".")[0]
        for rule in rules:
            if within(name, rule.forbidden) and not within(name, rule.allowed):
                yield line, f"{module} must not import {name}: {rule.reason}"
        for home in HOMES:
            if library == home.library and not within(module, home.rooms):
                yield line, f"{module} must not import {home.library}: {home.reason}"
        if within(module, CONTRACT) and not within(name, CONTRACT) and library not in sys.stdlib_module_names:
            yield line, f"{module} must not import {name}: the vocabulary stands on the standard library alone"


def last_name(called: ast.Name | ast.Attribute) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr


def call_violations(nodes: list[ast.AST], module: str) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        if not (isinstance(node.func, ast.Name | ast.Attribute) and last_name(node.func) in LAST_NAMES):
            continue
        name = ast.unparse(node.func)
        if name == "print" and not within(module, ("fleetrig.harness.cli", "fleetrig.harness.report")):
            yield node.lineno, "print() belongs to harness.cli and harness.report: everything else is a trace event"
        if within(module, PURE_ROOMS) and name.removeprefix("datetime.").endswith(IMPURE_CALLS):
            yield node.lineno, f"{name}() in a pure room: time and chance are handed in"


def size_violations(nodes: list[ast.AST], source: str) -> Iterator[tuple[int, str]]:
    lines = source.count("\n")
    if lines > MAX_MODULE_LINES:
        yield 1, f"{lines} lines, more than {MAX_MODULE_LINES}: split it by what its parts are for"
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines, more than {MAX_FUNCTION_LINES}: name its steps"


def violations(root: Path) -> list[str]:
    """Everything in the packages below `root` that breaks a rule, as `file:line: reason`."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        relative = path.relative_to(root)
        is_package = path.name == "__init__.py"
        module = ".".join(("fleetrig", *(relative.parent if is_package else relative.with_suffix("")).parts))
        source = path.read_text()
        nodes = list(ast.walk(ast.parse(source)))
        broken = [
            *import_violations(nodes, module, is_package=is_package),
            *call_violations(nodes, module),
            *size_violations(nodes, source),
        ]
        if module == "fleetrig.simulator" and source:
            broken.append((1, "must stay empty: everyone who imports simulator.contract runs it"))
        found += [f"{relative}:{line}: {reason}" for line, reason in sorted(broken)]
    return found


def test_the_house_keeps_its_rules():
    found = violations(ROOT)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source", "reason"),
    [
        ("simulator/fleet.py", "import fleetrig.reference_server.server", "share its misunderstandings"),
        (
            "simulator/fleet.py",
            "def f():\n    from fleetrig.harness import run",
            "must not import fleetrig.harness.run",
        ),
        ("reference_server/server.py", "from fleetrig.simulator.flows import hawkbit", "they share the envelopes only"),
        (
            "reference_server/server.py",
            "from fleetrig.simulator import agent",
            "must not import fleetrig.simulator.agent",
        ),
        ("hil/bridge/bridge.py", "import fleetrig.simulator.agent", "a board and a platform that nobody here wrote"),
        ("simulator/certificates/authority.py", "import fleetrig.simulator.agent", "knows no devices"),
        ("simulator/certificates/keys.py", "import random", "chance as a range"),
        ("harness/cli.py", "import fleetrig.harness.locustfile", "imported by nobody"),
        ("harness/cli.py", "from . import locustfile", "imported by nobody"),
        ("simulator/flows/hono.py", "import asyncio", "behaviour does no I/O"),
        ("simulator/agent.py", "from time import monotonic", "time comes as an argument"),
        ("reference_server/platforms/kura/birth.py", "import random", "chance as a range"),
        ("simulator/stages.py", "import datetime\ndatetime.datetime.now()", "time and chance are handed in"),
        ("simulator/contract/http.py", "import pydantic", "standard library alone"),
        ("simulator/contract/http.py", "from ..agent import Agent", "standard library alone"),
        ("harness/report/html.py", "from fleetrig.harness.run.run import run", "a report listens"),
        ("harness/run.py", "import simpy", "virtual time has one implementation"),
        ("simulator/cohort/wheel.py", "import simpy", "one for fleets as arrays"),
        ("simulator/cohort/batch.py", "from numba import njit", "an extra that may be absent"),
        ("harness/run/run.py", "import fleetrig.harness.platforms.hawkbit.admin", "found through the table"),
        (
            "harness/platforms/kura/work.py",
            "from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin",
            "nothing in common",
        ),
        ("simulator/flows/hono/flow.py", "from fleetrig.simulator.flows import hawkbit", "nothing in common"),
        (
            "harness/platforms/hawkbit/vocabulary.py",
            "from fleetrig.harness.run.context import RunContext",
            "no engine is imported",
        ),
        ("harness/servers/hawkbit.py", "import httpx", "sends an envelope through the transport"),
        ("reference_server/fronts/coap/front.py", "import aiocoap", "another's messages"),
        ("reference_server/fronts/mqtt.py", "from paho.mqtt.properties import Properties", "another's codec"),
        ("harness/scenario_file/scenario.py", "from ruamel.yaml import YAML", "must not import ruamel"),
        ("reference_server/server.py", "print(1)", "everything else is a trace event"),
        ("simulator/__init__.py", '"""The device side."""', "must stay empty"),
        ("hil/port.py", "\n" * 401, "401 lines"),
        ("hil/port.py", "def climb():\n" + "    x = 1\n" * 60, "climb has 61 lines"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, path, source, reason):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(source)
    found = violations(tmp_path)
    assert any(line.startswith(f"{path}:") and reason in line for line in found), found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("reference_server/server.py", "from fleetrig.simulator.contract import http"),
        (
            "reference_server/fronts/tls.py",
            "from fleetrig.simulator.certificates.authority import CertificateAuthority",
        ),
        ("harness/platforms/hawkbit/work.py", "from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin"),
        ("harness/run/run.py", "from fleetrig.harness.platforms import load"),
        ("hil/ports/serial_port.py", "import serial\nfrom fleetrig.simulator.contract.trace import TraceEvent"),
        ("harness/report/junit.py", "from fleetrig.harness.verdict import Verdict\nprint(Verdict)"),
        ("simulator/drivers/bucketed_environment.py", "import simpy\nimport time"),
        ("simulator/contract/trace.py", "from .clock import Clock\nimport json"),
        ("hil/port.py", "def climb():\n" + "    x = 1\n" * 59 + "\n" * 340),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path, path, source):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(source)
    assert violations(tmp_path) == []


def test_neither_command_nor_plugin_imports_locust():
    modules = "fleetrig.harness.cli, fleetrig.harness.commands.load, fleetrig.harness.pytest_plugin"
    code = f"import sys, {modules}; print(*{{'locust', 'gevent'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not done.stdout.strip(), "Locust patches the standard library for the whole process"
