"""Bundles of a provision job on their way to a device: DEPLOY-V2, one after the other (spec 1.5, 3.3).

A gateway refuses a second download while one runs, so each waits for the end of the one before: for the notification
that it is installed. Who is asked, and on which connection, is decided in `dialogue` and `completing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import ControlTopic
from fleetrig.reference_server.platforms.kura.device_management.control_calls import ControlCalls
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import CallEnd, CallResult
from fleetrig.reference_server.platforms.kura.payload.codec import decode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, boolean, int64, string
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.state.attachments import bundle_uri
from fleetrig.reference_server.platforms.kura.state.provision_jobs import extended, save_request
from fleetrig.reference_server.platforms.kura.state.provision_records import Attachment
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S

DEPLOY_APP: Final = "DEPLOY-V2"
DOWNLOAD: Final = "DEPLOY-V2/EXEC/download"
NO_VERSION: Final = "0.0.0"
DOWNLOAD_FAILED: Final = frozenset({"FAILED", "CANCELLED"})
INSTALLED: Final = frozenset({"COMPLETED", "ALREADY DONE", "ALREADY_DONE"})
"""Real gateways and the Kapua simulator spell it differently (section 6, row 18)."""
JOB_ID_BYTES: Final = 6

Done = Callable[[str, int], Reaction]
"""What follows when all bundles are installed, or one has failed: why (empty: none has), and when."""


@dataclass(slots=True, eq=False)
class Installation:
    """What is left to be installed on one device. `job_id` names the download that is under way."""

    request_id: str
    live: LiveClient
    left: list[Attachment]
    done: Done = field(repr=False)
    job_id: int = 0


class BundleInstaller:
    """All installations of provision jobs; in memory: a device that comes again is asked again."""

    def __init__(self, registry: Registry, calls: ControlCalls) -> None:
        self._registry = registry
        self._calls = calls
        self._by_request: dict[str, Installation] = {}
        self._by_session: dict[int, Installation] = {}
        """A device has one at a time."""
        self._ends = Deadlines[str]()

    def begin(self, request_id: str, live: LiveClient, bundles: Sequence[Attachment], done: Done, from_us: int) -> None:
        """In place of an earlier one of the same request; the device is not asked before `from_us`."""
        self.cancel(request_id)
        found = Installation(request_id, live, list(bundles), done)
        self._by_request[request_id] = self._by_session[live.session] = found
        self._ask(found, from_us)

    def is_under_way(self, request_id: str) -> bool:
        return request_id in self._by_request

    def cancel(self, request_id: str) -> None:
        found = self._by_request.pop(request_id, None)
        if found is not None:
            self._by_session.pop(found.live.session, None)
            self._ends.cancel(request_id)

    def session_ended(self, session: int) -> None:
        """What was to be installed over it waits for the device to come again."""
        found = self._by_session.get(session)
        if found is not None:
            self.cancel(found.request_id)

    def next_due_us(self) -> int | None:
        return self._ends.next_due_us()

    def advance(self, now_us: int) -> list[Reaction]:
        reactions = []
        while (request_id := self._ends.pop_due(now_us)) is not None:
            found = self._by_request[request_id]
            reactions.append(self._failed(found, f"no word of {found.left[0].name} in time", now_us))
        return reactions

    def notified(self, sender: LiveClient, topic: ControlTopic, data: bytes, now_us: int) -> Reaction:
        """`NOTIFY/<client id>/download` or `…/install`; one that is not of the asked device counts for nothing."""
        payload = decode(data)
        found = self._by_session.get(sender.session)
        if found is None or payload.integer("job.id") != found.job_id:
            return Reaction(device=sender.client_id, changed="a notification that nobody waits for")
        self._await(found, now_us)
        self._extend(found.request_id, now_us)
        match topic.levels[-1]:
            case "download" if (status := payload.text("dp.download.status") or "") in DOWNLOAD_FAILED:
                return self._failed(found, _why(payload, "dp.download.error.message", status), now_us)
            case "install" if (status := payload.text("dp.install.status") or "") == "FAILED":
                return self._failed(found, _why(payload, "dp.install.error.message", status), now_us)
            case "install" if payload.text("dp.install.status") in INSTALLED:
                return self._installed(found, now_us)
        return NOTHING

    def _installed(self, found: Installation, now_us: int) -> Reaction:
        found.left.pop(0)
        if found.left:
            self._ask(found, now_us)
            return Reaction(device=found.live.client_id, changed=f"{len(found.left)} bundles left to install")
        self.cancel(found.request_id)
        return found.done("", now_us)

    def _ask(self, found: Installation, from_us: int) -> None:
        found.job_id = int(self._registry.entropy.token_hex(JOB_ID_BYTES), 16) + 1
        live, settings = found.live, self._registry.settings
        timeout_ms = settings.call_timeout_s * 1_000
        metrics = _download_metrics(found.left[0], bundle_uri(self._registry, found.left[0]), found.job_id)
        call = DeviceCall(live.scope_id, live.client_id, DEPLOY_APP, "EXEC", "download", metrics, timeout_ms=timeout_ms)
        job_id = found.job_id
        self._calls.ask(call, lambda result: self._answered(found, job_id, result), from_us)
        self._await(found, from_us)

    def _await(self, found: Installation, now_us: int) -> None:
        self._ends.put(found.request_id, now_us + self._registry.settings.job_timeout_s * US_PER_S)

    def _extend(self, request_id: str, now_us: int) -> None:
        """A device that tells how far it is has been heard: its job is not given up meanwhile."""
        request = request_by_id(self._registry, request_id)
        if request is not None and request.job.deadline_us is not None:
            save_request(self._registry, extended(self._registry, request, now_us))

    def _answered(self, found: Installation, job_id: int, result: CallResult) -> Reaction:
        """The reply says only that the download begins; the notifications say what becomes of it."""
        is_current = self._by_request.get(found.request_id) is found and found.job_id == job_id
        if result.end is CallEnd.LEFT or result.is_success or not is_current:
            return NOTHING
        code = None if result.reply is None else result.reply.response_code
        why = f"it answers {code}" if result.reply is not None else "it does not answer"
        return self._failed(found, f"the device does not download {found.left[0].name}: {why}", result.now_us)

    def _failed(self, found: Installation, why: str, now_us: int) -> Reaction:
        self.cancel(found.request_id)
        return found.done(why, now_us)


def _download_metrics(bundle: Attachment, uri: str, job_id: int) -> dict[str, Metric]:
    scheme = uri.partition(":")[0].upper()
    return {
        "job.id": int64(job_id),
        "dp.uri": string(uri),
        "dp.name": string(bundle.name),
        "dp.version": string(bundle.version or NO_VERSION),
        "dp.download.protocol": string(scheme if scheme in ("HTTP", "HTTPS") else "HTTP"),
        "dp.install": boolean(True),
        "dp.install.system.update": boolean(False),
        "dp.reboot": boolean(False),
    }


def _why(payload: KuraPayload, metric: str, status: str) -> str:
    said = payload.text(metric)
    name = payload.text("dp.name") or "the bundle"
    return f"{name}: {status}" + (f" ({said[:200]})" if said else "")
