"""DEPLOY-V2: packages downloaded, installed and taken away (spec 3.3). What takes time is told by notifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from fleetrig.simulator.flows.kura import deployment_work as work
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.payload import int32, string
from fleetrig.simulator.flows.kura.requests import (
    ERROR,
    Answer,
    Handling,
    Request,
    bad_request,
    not_found,
    not_offered,
)

APP_ID: Final = "DEPLOY-V2"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
ALREADY_DONE: Final = "ALREADY DONE"
"""With a blank."""
SOON_S: Final = 0.01
"""Another thread begins: the reply is out before."""


@dataclass(frozen=True, slots=True)
class Bundle:
    name: str
    version: str


BUNDLES: Final = (
    Bundle("org.eclipse.osgi", "3.16.0"),
    Bundle("org.eclipse.kura.api", "2.7.0"),
    Bundle("org.eclipse.kura.core", "1.5.0"),
    Bundle("org.eclipse.kura.core.cloud", "1.5.0"),
)


def handle_deployment(life: GatewayLife, request: Request) -> Handling:
    """A request without resource is refused by whatever method it has."""
    if request.method not in ("GET", "EXEC", "DEL"):
        raise not_offered(request.method)
    if not request.resources:
        raise bad_request()
    match request.method, request.resources[0]:
        case "GET", resource:
            return _get(life, resource)
        case "EXEC", "download":
            return _download(life, request)
        case "EXEC", "install":
            return _install(life, request)
        case "EXEC", "uninstall":
            return _uninstall(life, request)
        case "EXEC", "start" | "stop":
            return _switch_bundle(request)
        case "DEL", "download":
            return _cancel(life)
        case _:
            raise not_found()


def _get(life: GatewayLife, resource: str) -> Handling:
    yield from ()
    state = work.state_of(life)
    match resource:
        case "download" if state.downloading is not None:
            metrics = work.progress(state.downloading, 0, 50, "IN_PROGRESS")
            return Answer(metrics={name: value for name, value in metrics.items() if name != "client.id"})
        case "download":
            return Answer(
                metrics={
                    "dp.download.size": int32(0),
                    "dp.download.progress": int32(100),
                    "dp.download.status": string(ALREADY_DONE),
                }
            )
        case "install" if state.installing is not None:
            named = {"dp.name": string(state.installing.name), "dp.version": string(state.installing.version)}
            return Answer(metrics={"dp.install.status": string("IN_PROGRESS"), **named})
        case "install":
            return Answer(metrics={"dp.install.status": string("IDLE")})
        case "packages":
            return Answer(body=packages_xml(work.packages_of(life)))
        case "bundles":
            return Answer(body=bundles_xml())
        case _:
            raise not_found()


def _download(life: GatewayLife, request: Request) -> Handling:
    """Answered at once; then it is done."""
    yield from ()
    package = work.read_package(request)
    state = work.state_of(life)
    if package is None or not package.uri or not package.protocol:
        raise bad_request()
    if state.downloading is not None:
        busy = {"download.status": string("IN_PROGRESS")}
        return Answer(ERROR, busy, b"Another resource is already in download")
    state.downloading = package
    life.later(SOON_S, lambda: work.download_package(life, package))
    return Answer()


def _install(life: GatewayLife, request: Request) -> Handling:
    """Of what was downloaded before."""
    yield from ()
    package, state = work.read_package(request), work.state_of(life)
    if package is None or state.installing is not None or package.file not in state.files:
        raise bad_request()
    state.installing = package
    life.later(work.INSTALL_S, lambda: work.install_package(life, package))
    return Answer()


def _uninstall(life: GatewayLife, request: Request) -> Handling:
    """What is not installed is uninstalled as well."""
    yield from ()
    package = work.read_package(request, needs_version=False)
    if package is None:
        raise bad_request()
    life.later(SOON_S, lambda: work.uninstall_package(life, package))
    return Answer()


def _cancel(life: GatewayLife) -> Handling:
    yield from ()
    state = work.state_of(life)
    package, state.downloading = state.downloading, None
    if package is not None:
        life.later(SOON_S, lambda: work.notify(life, package, "download", work.progress(package, 0, 0, "CANCELLED")))
    return Answer()


def _switch_bundle(request: Request) -> Handling:
    """`start/<id>`, `stop/<id>`: all are running, and stay so."""
    yield from ()
    number = request.resources[1] if len(request.resources) > 1 else ""
    if not (number.isascii() and number.isdigit() and int(number) < len(BUNDLES)):
        raise bad_request()
    return Answer()


def packages_xml(packages: Mapping[str, str]) -> bytes:
    listed = "".join(
        f"<package><name>{escape(name)}</name><version>{escape(version)}</version><bundles><bundle>"
        f"<name>{escape(name)}</name><version>{escape(version)}</version></bundle></bundles></package>"
        for name, version in packages.items()
    )
    return f"{HEAD}<packages>{listed}</packages>".encode()


def bundles_xml() -> bytes:
    listed = "".join(
        f"<bundle><name>{one.name}</name><version>{one.version}</version><id>{number}</id><state>ACTIVE</state></bundle>"
        for number, one in enumerate(BUNDLES)
    )
    return f"{HEAD}<bundles>{listed}</bundles>".encode()
