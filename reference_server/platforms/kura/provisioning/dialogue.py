"""The dialogue of PROV-SIM1 on a bootstrap connection: request, reply, confirm, permission (spec 1.6).

Attachments are delivered so: the configuration is the body of the reply, in the form of CONF-V1, because the device is
to stage it; that it has is what its confirm says (CONF_UPDATED). Then the bundles go out by DEPLOY-V2 on the same
connection, if the device has subscribed to that (gateways subscribe to all of their control topic), and the confirm is
answered when all are installed: stage, then applications, then commit (section 6, row 15). To a device that hears
nothing of DEPLOY-V2 here the confirm is answered at once, and the bundles follow after its first BIRTH on its account
(`completing`).

A run whose session is lost counts as failed when the device comes with a new nonce, and not before: with the same
nonce, or with its confirm, it may go on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import REPLY, ControlTopic, topic_of
from fleetrig.reference_server.platforms.kura.device_management.control_calls import Messenger
from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.provisioning.decision import (
    BUSY_RETRY_S,
    ENDED,
    NO_REQUEST,
    Course,
    course_of,
    denial_of,
    key_denial_of,
)
from fleetrig.reference_server.platforms.kura.provisioning.exchange import ProvisionExchange
from fleetrig.reference_server.platforms.kura.provisioning.installing import DOWNLOAD, BundleInstaller
from fleetrig.reference_server.platforms.kura.provisioning.issuing import issue
from fleetrig.reference_server.platforms.kura.provisioning.job_runs import JobRun
from fleetrig.reference_server.platforms.kura.provisioning.messages import (
    ACTIVATION_KEY_CHARS,
    ConfirmMessage,
    StartMessage,
    confirm_message,
    request_id_of,
    requester_denial,
    start_message,
)
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import Denial, ProvisionError
from fleetrig.reference_server.platforms.kura.provisioning.replies import acknowledged, denied
from fleetrig.reference_server.platforms.kura.provisioning.run_sessions import RunSessions
from fleetrig.reference_server.platforms.kura.state.attachments import bundles_of
from fleetrig.reference_server.platforms.kura.state.events import audit
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.target_users import bind_if_tight
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.envelope import Output

KEY_VERIFIED: Final = "activation_key_verified"
"""A step of the trace."""
NO_ID: Final = "request.id is missing, no STRING, or cannot be a level of a topic: there is nowhere to reply to"
NO_SUBSCRIBER: Final = "nobody has subscribed to the reply topic: subscribe before asking"
STAGES: Final = {"request": "request", "confirm": "confirm"}
"""The last level of a topic below POST -> the stage that the audit names."""
OVERLOADED: Final = Denial(ProvisionError.BUSY, "the store has failed, or is too slow", BUSY_RETRY_S)
MALFORMED: Final = ProvisionError.MALFORMED


class ProvisionDialogue:
    """All of it is decided by the records; in memory is only which session a run belongs to, and who waits."""

    def __init__(self, registry: Registry, messenger: Messenger, installer: BundleInstaller) -> None:
        self._registry = registry
        self._messenger = messenger
        self._installer = installer
        self._runs = RunSessions()
        self._confirms: dict[str, ProvisionExchange] = {}
        """Provision request -> the confirm that is answered when its bundles are installed."""
        settings = registry.settings
        self.app_ids = frozenset((settings.provision_app_id, *settings.provision_app_aliases))

    def concerns(self, topic: ControlTopic) -> bool:
        """The topic is one of a device's messages in this dialogue."""
        return topic.app_id in self.app_ids and topic.levels[:1] == ("POST",)

    def heard(self, live: LiveClient, topic: ControlTopic, data: bytes, now_us: int) -> Reaction:
        """A message of a client on its own topic."""
        stage = STAGES.get(topic.levels[-1], "") if len(topic.levels) == 2 else ""
        payload = decode(data)
        self._learn_key(payload)
        exchange = ProvisionExchange(live, topic.app_id, request_id_of(payload), stage or "request", now_us)
        if not exchange.request_id:
            return self._ignored(exchange, _why_unread(payload))
        if not stage:
            return self._denied(exchange, Denial(MALFORMED, f"there are request and confirm, not {topic.levels[1:]}"))
        if (denial := requester_denial(payload, live.client_id)) is not None:
            return self._denied(exchange, denial)
        message = start_message(payload) if stage == "request" else confirm_message(payload)
        match message:
            case Denial():
                return self._denied(exchange, message)
            case StartMessage():
                return self._requested(exchange, message)
            case ConfirmMessage():
                return self._confirmed(exchange, message)

    def _learn_key(self, payload: KuraPayload) -> None:
        """A mistyped one is as secret; what is too long to be one is not kept."""
        shown = payload.text("activation.key") or ""
        if len(shown) <= ACTIVATION_KEY_CHARS.most:
            self._registry.learn("activation-key", shown)

    def session_ended(self, session: int) -> None:
        """What was begun on it may be begun anew."""
        request_id = self._runs.end(session)
        if request_id is not None:
            self._confirms.pop(request_id, None)

    # Request

    def _requested(self, exchange: ProvisionExchange, message: StartMessage) -> Reaction:
        request = self._request_of(exchange.live)
        if request is None:
            return self._denied(exchange, NO_REQUEST)
        denial = denial_of(request, exchange.now_us)
        if denial is None or self._registry.settings.strict_errors:
            denial = key_denial_of(request, message) or denial  # who has no key learns nothing of the job then
        if denial is not None:
            return self._denied(exchange, denial)
        steps = (KEY_VERIFIED,) if request.activation_key else ()
        is_same_session = self._runs.is_of(request.id, exchange.live.session)
        course = course_of(request, message.nonce, is_same_session=is_same_session)
        run = JobRun(self._registry, request)
        run.steps.extend(steps)
        match course:
            case Denial():
                return self._denied(exchange, course, run.steps)
            case Course.REPEAT:
                return self._repeated(exchange, run)
            case Course.RESTART:
                self._installer.cancel(request.id)
                run.fail(exchange.now_us)
                if run.status is JobStatus.FAILED:
                    run.save()
                    return self._denied(exchange, ENDED[JobStatus.FAILED], run.steps)
            case Course.START:
                pass
        return self._started(exchange, message, run)

    def _started(self, exchange: ProvisionExchange, message: StartMessage, run: JobRun) -> Reaction:
        issued = issue(self._registry, run.kept, message, exchange.application_topic, exchange.now_us)
        if isinstance(issued, Denial):
            run.save()  # a restart has counted
            return self._denied(exchange, issued, run.steps)
        run.begin(exchange.now_us)
        run.hand_out(issued)
        run.heard(exchange.now_us)
        run.save()
        self._runs.begin(run.request_id, exchange.live.session)
        return self._said(exchange, bytes.fromhex(issued.reply_hex), "material issued", run.steps)

    def _repeated(self, exchange: ProvisionExchange, run: JobRun) -> Reaction:
        issued = run.issued
        assert issued is not None, "a nonce is known of what was issued"
        run.heard(exchange.now_us)
        run.save()
        self._runs.begin(run.request_id, exchange.live.session)
        return self._said(exchange, bytes.fromhex(issued.reply_hex), "the same material again", run.steps)

    # Confirm

    def _confirmed(self, exchange: ProvisionExchange, message: ConfirmMessage) -> Reaction:
        request = self._request_of(exchange.live)
        if request is None:
            return self._denied(exchange, NO_REQUEST)
        if message.job_id != request.job.id:
            return self._denied(exchange, Denial(MALFORMED, "prov.job.id names no job of this device"))
        issued = request.job.issued
        if message.is_staged and issued is not None and issued.confirm_reply_hex:
            return self._said(exchange, bytes.fromhex(issued.confirm_reply_hex), "confirmed before", ())
        if (ended := ENDED.get(request.job.status)) is not None:
            return self._denied(exchange, ended)
        if issued is None:
            return self._denied(
                exchange, Denial(MALFORMED, "no material was issued that could be confirmed: ask first")
            )
        run = JobRun(self._registry, request)
        run.heard(exchange.now_us)
        return self._staged(exchange, run) if message.is_staged else self._gave_up(exchange, run, message.why)

    def _gave_up(self, exchange: ProvisionExchange, run: JobRun, why: str) -> Reaction:
        """The device says that this run has failed: its next request begins another one."""
        self._installer.cancel(run.request_id)
        run.fail(exchange.now_us)
        run.save()
        reason = f"the device could not use the material: {why[:200] or 'it does not say why'}"
        if run.status is JobStatus.FAILED:
            denial = Denial(ProvisionError.ATTEMPTS_EXHAUSTED, f"{reason}; it was the last attempt")
            return self._denied(exchange, denial, run.steps)
        audit(self._registry, exchange.live.peer, exchange.stage, reason, exchange.now_us, run.request_id)
        reply = encode(acknowledged(run.job_id, exchange.now_us // US_PER_MS))
        return self._said(exchange, reply, reason, run.steps)

    def _staged(self, exchange: ProvisionExchange, run: JobRun) -> Reaction:
        if run.status is JobStatus.CONF_UPDATING:
            run.to(JobStatus.CONF_UPDATED)
        bundles = bundles_of(self._registry, run.request.id) if run.request.attachments else []
        account = exchange.live.account.name
        if not bundles or not exchange.live.hears(topic_of(account, exchange.live.client_id, DOWNLOAD)):
            return self._permitted(exchange, run)
        self._confirms[run.request_id] = exchange  # of several the last one is answered
        if self._installer.is_under_way(run.request_id):
            run.save()
            return Reaction(device=exchange.live.client_id, changed="confirmed, while bundles are being installed")
        if run.status is JobStatus.CONF_UPDATED:
            run.to(JobStatus.APPS_INSTALLING)
        run.save()
        request_id = run.request_id
        self._runs.begin(request_id, exchange.live.session)
        self._installer.begin(
            request_id,
            exchange.live,
            bundles,
            lambda why, now_us: self._installed(request_id, why, now_us),
            exchange.now_us,
        )
        changed = f"confirmed; {len(bundles)} bundles to install"
        return Reaction(device=exchange.live.client_id, changed=changed, steps=run.steps)

    def _installed(self, request_id: str, why: str, now_us: int) -> Reaction:
        """All bundles are on the device, or one is not: now its confirm is answered."""
        exchange = self._confirms.pop(request_id, None)
        request = request_by_id(self._registry, request_id)
        if exchange is None or request is None or request.job.status is not JobStatus.APPS_INSTALLING:
            return Reaction(reason=why, changed="" if why else "bundles installed")
        exchange = replace(exchange, now_us=now_us)
        run = JobRun(self._registry, request)
        if not why:
            run.to(JobStatus.APPS_INSTALLED)
            return self._permitted(exchange, run)
        run.fail(now_us)
        run.save()
        is_last = run.status is JobStatus.FAILED
        error = ProvisionError.ATTEMPTS_EXHAUSTED if is_last else ProvisionError.INTERNAL
        return self._denied(exchange, Denial(error, why), run.steps)

    def _permitted(self, exchange: ProvisionExchange, run: JobRun) -> Reaction:
        """The device may commit."""
        reply = encode(acknowledged(run.job_id, exchange.now_us // US_PER_MS))
        issued = run.confirmed(reply, exchange.now_us)
        run.heard(exchange.now_us)
        request = run.save()
        bind_if_tight(self._registry, request, issued.target_user_id, exchange.now_us)
        return self._said(exchange, reply, "staged and confirmed", run.steps)

    # The way back

    def _request_of(self, live: LiveClient) -> ProvisionRequest | None:
        return request_by_id(self._registry, live.request_id) if live.request_id else None

    def _said(
        self, exchange: ProvisionExchange, reply: bytes, changed: str, steps: list[str] | tuple[str, ...]
    ) -> Reaction:
        outputs = self._messenger.publish(exchange.reply_topic, reply, exchange.now_us)
        why = "" if outputs else NO_SUBSCRIBER
        return Reaction(outputs, why, exchange.live.client_id, changed, steps=tuple(steps))

    def _denied(self, exchange: ProvisionExchange, denial: Denial, steps: Sequence[str] = ()) -> Reaction:
        """The device hears what the table says; the trace and the audit have the reason."""
        live, settings = exchange.live, self._registry.settings
        audit(self._registry, live.peer, exchange.stage, denial.reason, exchange.now_us, live.request_id)
        reply = encode(denied(denial, exchange.now_us // US_PER_MS, is_strict=settings.strict_errors))
        outputs = self._messenger.publish(exchange.reply_topic, reply, exchange.now_us)
        reason = denial.reason if outputs else f"{denial.reason}; {NO_SUBSCRIBER}"
        return Reaction(outputs, reason, live.client_id, f"denied: {denial.error}", steps=tuple(steps))

    def _ignored(self, exchange: ProvisionExchange, why: str) -> Reaction:
        audit(self._registry, exchange.live.peer, exchange.stage, why, exchange.now_us, exchange.live.request_id)
        return Reaction(reason=why, device=exchange.live.client_id)

    def failed(self, live: LiveClient, topic: ControlTopic, data: bytes, now_us: int) -> list[Output]:
        """The store has failed or is too slow: the device is to try again later (S-36). Reads and writes nothing."""
        request_id = request_id_of(decode(data))
        if not request_id:
            return []
        reply = encode(denied(OVERLOADED, now_us // US_PER_MS, is_strict=False))
        there = topic_of(live.account.name, live.client_id, f"{topic.app_id}/{REPLY}/{request_id}")
        return self._messenger.publish(there, reply, now_us)


def _why_unread(payload: KuraPayload) -> str:
    if not payload.undecodable:
        return NO_ID
    is_json = (payload.body or b"").lstrip()[:1] == b"{"
    if is_json:
        return "JSON is not accepted here: provisioning speaks the protobuf encoding only"
    return f"the message is no KuraPayload: {payload.undecodable}"
