"""What DEPLOY-V2 does after it has answered: it fetches a package, installs it, and says how it goes (spec 3.3)."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.contract.http import URL, HttpRequest, sendable
from fleetrig.simulator.effects import Download, Downloaded, Effect, NoReply, Outcome, download
from fleetrig.simulator.flows.kura import codec
from fleetrig.simulator.flows.kura.birth import say_again_later
from fleetrig.simulator.flows.kura.components import names_host
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import is_publishable, is_vendors, substituted
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, int32, int64, string
from fleetrig.simulator.flows.kura.requests import Request
from fleetrig.simulator.flows.kura.store import REPLIES
from fleetrig.simulator.stages import Stage

INSTALL_S: Final = 1.0
PACKAGES: Final = "packages"
DOWNLOAD_TIMEOUT_S: Final = 30.0
MOST_PACKAGE_BYTES: Final = 1 << 30
MOST_PACKAGES: Final = 1_000
FAILED_DOWNLOAD: Final = "Error during download process and verification!"


class Package(NamedTuple):
    job_id: int
    name: str
    version: str
    requester: str
    uri: str = ""
    protocol: str = ""
    checksum: str = ""
    user: str = ""
    password: str = ""
    timeout_s: float = DOWNLOAD_TIMEOUT_S
    installs: bool = True
    is_forced: bool = False
    reboots: bool = False
    reboot_delay_s: float = 0.0

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.dp"


@dataclass(slots=True)
class Deployments:
    """What is under way; lost with the power."""

    downloading: Package | None = None
    installing: Package | None = None
    files: set[str] = field(default_factory=set)
    """Downloaded, and not installed yet."""


def state_of(life: GatewayLife) -> Deployments:
    found = life.held.setdefault(PACKAGES, Deployments())
    assert isinstance(found, Deployments)
    return found


def packages_of(life: GatewayLife) -> dict[str, str]:
    """Name -> version of what is installed."""
    found = life.memory.get(PACKAGES)
    return {name: str(version) for name, version in found.items()} if isinstance(found, dict) else {}


def read_package(request: Request, *, needs_version: bool = True) -> Package | None:
    """None when something is missing, or there is a request type, for which no gateway here has a hook."""
    of = request.payload
    job_id, name, version = of.int64("job.id"), of.text("dp.name"), of.text("dp.version")
    if job_id is None or not name or (version is None and needs_version) or of.text("request.type") is not None:
        return None
    timeout_ms = of.int32("dp.download.timeout")
    return Package(
        job_id,
        name,
        version or "",
        request.requester,
        of.text("dp.uri") or "",
        of.text("dp.download.protocol") or "",
        of.text("dp.download.hash") or "",
        of.text("dp.download.username") or "",
        of.text("dp.download.password") or "",
        DOWNLOAD_TIMEOUT_S if not timeout_ms or timeout_ms < 0 else timeout_ms / 1_000,
        of.flag("dp.install") is not False,
        of.flag("dp.download.force") is True,
        of.flag("dp.reboot") is True,
        max(0, of.int32("dp.reboot.delay") or 0) / 1_000,
    )


def progress(package: Package, size: int, percent: int, status: str, error: str = "") -> dict[str, Metric]:
    """Of a download."""
    said = {
        "client.id": string(""),
        "dp.download.size": int32(min(size, (1 << 31) - 1)),
        "dp.download.progress": int32(percent),
        "dp.download.status": string(status),
        "job.id": int64(package.job_id),
        "dp.download.index": int32(0),
    }
    return {**said, "dp.download.error.message": string(error)} if error else said


def outcome(package: Package, what: str, percent: int, status: str) -> dict[str, Metric]:
    """Of an installation, or of its contrary."""
    return {
        "client.id": string(""),
        f"dp.{what}.progress": int32(percent),
        f"dp.{what}.status": string(status),
        "dp.name": string(package.file if what == "install" else package.name),
        "job.id": int64(package.job_id),
    }


def notify(
    life: GatewayLife, package: Package, what: str, metrics: Mapping[str, Metric]
) -> Generator[Effect, Outcome, None]:
    """QoS 0, priority 1, to who has asked (spec 6, 2)."""
    at_ms = yield from life.clock_ms()
    own = life.tokens["client-id"]
    topic = f"{life.cloud.control_prefix}/#account-name/{package.requester}/DEPLOY-V2/NOTIFY/{own}/{what}"
    payload = KuraPayload(at_ms, metrics={**metrics, "client.id": string(own)})
    data = codec.to_wire(payload, encoding=life.cloud.payload_encoding, gzips=life.cloud.encode_gzip)
    if is_publishable(substituted(topic, life.tokens)):
        life.store.put("notify", topic, data, qos=0, priority=REPLIES)


def download_package(life: GatewayLife, package: Package) -> Generator[Effect, Outcome, None]:
    """Then it is installed, unless that was not wanted. Nothing is done when it was called off meanwhile."""
    state = state_of(life)
    if state.downloading is not package:
        return
    was_online = life.stage is Stage.ONLINE
    if was_online:
        yield from life.enter(Stage.UPDATING, f"package {package.name}")
    why = yield from fetched(life, package)
    state.downloading = None
    if why:
        yield from notify(life, package, "download", progress(package, 0, 0, "FAILED", FAILED_DOWNLOAD))
    else:
        state.files.add(package.file)
        if package.installs:
            state.installing = package
            life.later(INSTALL_S, lambda: install_package(life, package))
    if was_online and (why or not package.installs):
        yield from life.enter(Stage.ONLINE, why or "downloaded")


def fetched(life: GatewayLife, package: Package) -> Generator[Effect, Outcome, str]:
    """Why the file is not there; empty when it is."""
    if package.file in state_of(life).files and not package.is_forced:
        yield from notify(life, package, "download", progress(package, 0, 100, "COMPLETED"))
        return ""
    found = URL.fullmatch(package.uri)
    if found is None or not names_host(package.uri) or is_vendors(package.uri):
        return f"{package.uri} is not called"
    headers = (("Authorization", basic_authorization(package.user, package.password)),) if package.user else ()
    request = HttpRequest("GET", f"{found[1].lower()}://{found[2]}", sendable(found[3] or "/"), headers)
    wanted = Download("download", request, package.file, 0, package.timeout_s, MOST_PACKAGE_BYTES)
    got = yield from download(wanted)
    life.now_s += got.after_s
    why = why_useless(package, got)
    if not why:
        assert isinstance(got, Downloaded)
        yield from notify(life, package, "download", progress(package, got.stored_bytes, 100, "COMPLETED"))
    return why


def why_useless(package: Package, got: Downloaded | NoReply) -> str:
    match got:
        case NoReply(why):
            return f"no file: {why}"
        case Downloaded(status=status) if status != 200:
            return f"no file: HTTP {status}"
        case Downloaded(cut=True):
            return "a part of the file only"
        case Downloaded() if got.stored_bytes > MOST_PACKAGE_BYTES:
            return "a file that does not end"
    if not package.checksum:
        return ""
    algorithm, _, value = package.checksum.partition(":")
    name = re.sub(r"[^a-z0-9]", "", algorithm.lower())
    return "" if got.hashes.get(name) == value.strip().lower() else "another file than its checksum says"


def install_package(life: GatewayLife, package: Package) -> Generator[Effect, Outcome, None]:
    """Written down before anybody hears of it; then BIRTH says what there is now, and a reboot may follow."""
    state = state_of(life)
    state.installing = None
    state.files.discard(package.file)
    packages = packages_of(life)
    if len(packages) < MOST_PACKAGES:
        yield from life.keep(packages={**packages, package.name: package.version})
        yield from notify(life, package, "install", outcome(package, "install", 100, "COMPLETED"))
        say_again_later(life)
    else:
        yield from notify(life, package, "install", outcome(package, "install", 0, "FAILED"))
    if life.stage is Stage.UPDATING:
        yield from life.enter(Stage.ONLINE, f"package {package.name} is installed")
    if package.reboots:
        life.reboots_at_s = life.now_s + package.reboot_delay_s


def uninstall_package(life: GatewayLife, package: Package) -> Generator[Effect, Outcome, None]:
    packages = packages_of(life)
    if packages.pop(package.name, None) is not None:
        yield from life.keep(packages=packages)
        say_again_later(life)
    yield from notify(life, package, "uninstall", outcome(package, "uninstall", 100, "COMPLETED"))
