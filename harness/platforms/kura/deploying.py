"""`fleetrig deploy` in the Kura namespace: DEPLOY-V2, by the REST API of operators (spec 3.3, 5.5).

The server keeps no files: the gateway is told where to fetch one, and what it has installed is asked of the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from fleetrig.harness.desk.deploying import Deploying, DeploySite, DeskUpdate, DeviceEnd, DeviceProgress
from fleetrig.harness.platforms.kura.admin import JsonDict, KuraAdmin
from fleetrig.harness.platforms.kura.device_management import TIMEOUT
from fleetrig.harness.platforms.kura.package_file import name_in_package
from fleetrig.harness.platforms.kura.platform import admin_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.drivers.director import AdminCall

NOT_CONNECTED: Final = 409
IN_PROGRESS: Final = "IN_PROGRESS"
IDLE: Final = "idle"
LOST: Final = (
    "neither downloads nor installs it any more, and it is not among its packages: it could not fetch the file from "
    "here (--serve-at HOST:PORT names an address that it reaches), the file was not what it wanted, or the package is "
    "called otherwise than --name and --version say"
)


class KuraDeployer:
    """A `Deployer`."""

    def __init__(self, site: DeploySite) -> None:
        self._site = site
        self._admin: KuraAdmin = admin_of(site.server)
        self._admin.masks = site.secrets
        self._paths: dict[str, str] = {}
        """Client id -> `SCOPE/devices/ID`."""
        self._update: DeskUpdate | None = None
        self._doing: dict[str, str] = {}
        """Client id -> what it was seen doing last."""

    def knows(self, device: str) -> AdminCall[bool]:
        return (yield from self._path(device)) is not None

    def devices(self) -> AdminCall[Sequence[str]]:
        found = []
        for scope in (yield from self._scopes()):
            found += [str(one.get("clientId")) for one in (yield from self._admin.listed(f"{scope}/devices"))]
        return found

    def deploy(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        self._update = update
        [file] = update.files
        url = self._site.publish(file)
        document = {"uri": url, "name": update.name, "version": update.version, "install": True,
                    "fileHash": f"SHA-256:{file.sha256}"}  # fmt: skip
        said = []
        for device in devices:
            answer = yield from self._ask(device, "POST", "packages/_download", document)
            said.append(f"{device} fetches {update.title} from {url}, operation {answer.get('operationId')}")
        return said

    def take_back(self) -> AdminCall[None]:
        """Nothing: the server has kept nothing."""
        yield from ()

    def look(self, device: str) -> AdminCall[DeviceProgress]:
        if (yield from self._has_it(device)):
            return DeviceProgress(["installed"], DeviceEnd.INSTALLED)
        doing = yield from self._doing_now(device)
        if doing != IDLE:
            news = [doing] if doing and doing != self._doing.get(device) else []
            self._doing[device] = doing
            return DeviceProgress(news)
        if (yield from self._has_it(device)):
            return DeviceProgress(["installed"], DeviceEnd.INSTALLED)
        return DeviceProgress([LOST], DeviceEnd.FAILED)

    def remove(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        if not devices:
            raise UsageError("--remove needs --to: packages are on gateways alone, and each is asked")
        named = {"name": update.name, "version": update.version}
        for device in devices:
            yield from self._ask(device, "POST", "packages/_uninstall", named)
        return [f"{device} was asked to uninstall {update.title}" for device in devices]

    def _has_it(self, device: str) -> AdminCall[bool]:
        assert self._update is not None
        answer = yield from self._ask(device, "GET", "packages")
        wanted = (self._update.name, self._update.version)
        listed = answer.get("devicePackage") or ()
        return any((one.get("name"), one.get("version")) == wanted for one in listed)

    def _doing_now(self, device: str) -> AdminCall[str]:
        """`IDLE` when it neither downloads nor installs anything; empty when it does not tell."""
        told = IDLE
        for resource, status, doing in (
            ("download", "dp.download.status", "downloads"),
            ("install", "dp.install.status", "installs"),
        ):
            channel = {"semanticParts": [resource], "appName": "DEPLOY", "version": "V2", "method": "READ"}
            answer = yield from self._ask(device, "POST", "requests", {"channel": channel, "payload": {}})
            found = metrics_of(answer).get(status)
            if found == IN_PROGRESS:
                return doing
            told = "" if found is None else told
        return told

    def _ask(self, device: str, method: str, what: str, document: object = None) -> AdminCall[JsonDict]:
        """A call that is answered when the device has answered. Raises BrokenBench for one that is not connected."""
        path = yield from self._path(device)
        if path is None:
            raise UsageError(f"{self._admin.url} has no device {device} any more")
        request = self._admin.request(method, f"/v1/{path}/{what}?{TIMEOUT}", document)
        response = yield from self._admin.send(request)
        if response.status == NOT_CONNECTED:
            raise BrokenBench(f"{device} is not connected, and is asked over its own connection: switch it on first")
        return self._admin.part(self._admin.read(request, response, (200, 201)), dict)

    def _path(self, device: str) -> AdminCall[str | None]:
        """In whatever account below the operator's it is."""
        if device not in self._paths:
            for scope in (yield from self._scopes()):
                found = yield from self._admin.device(scope, device)
                if found is not None:
                    self._paths[device] = f"{scope}/devices/{quote(self._admin.part(found, str, 'id'))}"
                    break
        return self._paths.get(device)

    def _scopes(self) -> AdminCall[list[str]]:
        """The operator's account, and those below it."""
        if not self._admin.scope_id:
            yield from self._admin.log_in()
        own = self._admin.scope_id
        children = yield from self._admin.listed(f"{own}/accounts")
        return [own, *(self._admin.part(one, str, "id") for one in children)]


def metrics_of(answer: Mapping[str, object]) -> dict[str, object]:
    """Name -> value of what a device has answered."""
    payload = answer.get("payload")
    listed = payload.get("metrics") if isinstance(payload, dict) else None
    if isinstance(listed, dict):
        listed = listed.get("metric")
    return {str(one.get("name")): one.get("value") for one in listed or () if isinstance(one, dict)}


def deploying() -> Deploying:
    return Deploying(("package",), ("at-once",), 1, KuraDeployer, name_in_package, publishes=True)
