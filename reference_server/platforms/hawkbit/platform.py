"""The hawkBit platform: one request through the same stations, in the same order, as in the real server.

Container → DoS filter → URL firewall and host check → authentication → route → content types → body → permission →
handler → rendering. A station that refuses raises a `HawkbitError`; all of them end in `_refuse`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.hawkbit.request import admin_auth, device_auth
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.container import container_rules
from fleetrig.reference_server.platforms.hawkbit.request.context_path import OutsideContext, inside_context
from fleetrig.reference_server.platforms.hawkbit.request.dos_filter import DosFilter
from fleetrig.reference_server.platforms.hawkbit.request.error_replies import framework_reply, refusal
from fleetrig.reference_server.platforms.hawkbit.request.firewall import check_host, check_path, container_answer
from fleetrig.reference_server.platforms.hawkbit.request.form_boundary import check_boundary
from fleetrig.reference_server.platforms.hawkbit.request.front_page import front_page, refuse_front_page
from fleetrig.reference_server.platforms.hawkbit.request.kept_upload import KeptUpload, keep_upload
from fleetrig.reference_server.platforms.hawkbit.request.long_replies import LongReplies, LongReply
from fleetrig.reference_server.platforms.hawkbit.request.media_types import negotiate, type_sent
from fleetrig.reference_server.platforms.hawkbit.request.older_answers import in_charset, reworded
from fleetrig.reference_server.platforms.hawkbit.request.plain_path import decoded_where_plain
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps, over_tls, respond
from fleetrig.reference_server.platforms.hawkbit.request.request_documents import prepared_body
from fleetrig.reference_server.platforms.hawkbit.request.reverse_proxy import pass_on
from fleetrig.reference_server.platforms.hawkbit.request.routing import (
    ANY_BODY,
    Options,
    Route,
    Router,
    arguments,
    refuse_preflight,
)
from fleetrig.reference_server.platforms.hawkbit.routes import PROVISIONING, known_to
from fleetrig.reference_server.platforms.hawkbit.routes_deployment import DEPLOYMENT
from fleetrig.reference_server.platforms.hawkbit.routes_rollouts import CAMPAIGNS
from fleetrig.reference_server.platforms.hawkbit.routes_sets import SETS
from fleetrig.reference_server.platforms.hawkbit.routes_software import SOFTWARE
from fleetrig.reference_server.platforms.hawkbit.scheduling.action_cleanup import ActionCleanup
from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assigner import AutoAssigner
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_scheduler import RolloutScheduler
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, framework
from fleetrig.reference_server.platforms.hawkbit.state.forwarded import BadForwarding, apply_forwarded_headers
from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
from fleetrig.reference_server.platforms.hawkbit.state.kept_answers import Kept, KeptAnswers
from fleetrig.reference_server.platforms.hawkbit.state.records import TENANT
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.platforms.hawkbit.state.tenants import open_tenant
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store, StoreFailed
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S, earliest_us
from fleetrig.simulator.contract.http import Body, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session

DEVICE_SEGMENTS: Final = 4
"""`{tenant}/controller/v1/{controllerId}`: what all paths of devices begin with; authentication reads them."""


UPLOAD_PATH: Final = re.compile(r".*/rest/v1/softwaremodules/[^/]+/artifacts")
LOOK_AGAIN_AFTER_US: Final = US_PER_S
READING: Final = frozenset({"GET", "HEAD"})


@cache
def routers_of(traits: Traits) -> tuple[Router, Router]:
    """For operators and for devices. All servers of a generation share them: they hold no state."""
    routes = known_to(traits, PROVISIONING + DEPLOYMENT + SOFTWARE + SETS + CAMPAIGNS)
    operators = Router(route for route in routes if not route.is_for_devices)
    return operators, Router((route for route in routes if route.is_for_devices), DEVICE_SEGMENTS)


class HawkbitPlatform:
    """Eclipse hawkBit: DDI for devices, Mgmt for operators (docs/contracts/hawkbit.md)."""

    name = "hawkbit"

    def __init__(
        self, store: Store, blobs: Blobs, entropy: Entropy, settings: Settings, *, keeps_answers: bool = True
    ) -> None:
        """`keeps_answers` False: all are worked out anew, which tells nobody but a benchmark."""
        self.repo = Repository(store, blobs, entropy, settings)
        self._kept = KeptAnswers(self.repo) if keeps_answers and settings.client_verifier is None else None
        self._schedulers = (RolloutScheduler(self.repo), AutoAssigner(self.repo), ActionCleanup(self.repo))
        self._long = LongReplies()
        self._looks_again_us: int | None = None
        self._dos = DosFilter(settings)
        self.container_rules = replace(
            container_rules(settings.quotas.artifact_bytes, settings.context_path),
            broken_body=self._broken_body,
            needs_body=self._needs_body,
            prepared_body=self._prepared_body,
            release_body=self._release_body,
            failure=self._failed,
        )
        self._operators, self._devices = routers_of(self.repo.traits)

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        answers = self._kept
        if answers is None or request.method != "GET":
            return self._worked_out(request, session, now_us)
        kept = answers.find(request, session.peer)
        if kept is not None and self._dos.lets_in("ddi", kept.address, now_us):
            return self._given_again(kept, now_us)
        if not answers.may_keep(request):
            return self._worked_out(request, session, now_us)
        with answers.noting() as notes:
            answer = self._worked_out(request, session, now_us)
        if isinstance(answer, HttpAnswer):
            answers.keep(request, session.peer, answer, notes)
        return answer

    def _given_again(self, kept: Kept, now_us: int) -> HttpAnswer:
        """What `_worked_out` would give, with all that happens besides."""
        if kept.polled is not None:
            self.repo.polled(*kept.polled, now_us // US_PER_MS)
        for scheduler in self._schedulers:
            scheduler.note(kept.tenant, now_us, by_operator=False)
        return kept.answer

    def _worked_out(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        passed_on = self._passed_on(request, session, now_us)
        if isinstance(passed_on, HttpAnswer):
            return passed_on
        request = passed_on
        try:
            request, session = self._as_seen(request, session)
        except BadForwarding as bad:
            return HttpAnswer(HttpResponse(400), reason=str(bad))
        except OutsideContext as outside:
            return HttpAnswer(outside.page, reason=outside.reason)
        answer = self._answer(request, session, now_us)
        return answer if isinstance(answer, HeldRequest) else self._dressed(answer, request)

    def left(self, held_id: int, now_us: int) -> None:
        self._long.leave(held_id)

    def _dressed(self, answer: HttpAnswer, request: HttpRequest) -> HttpAnswer:
        response = in_charset(answer.response, self.repo.traits)
        if request.origin.startswith("https:"):
            response = over_tls(response)
        return answer if response is answer.response else replace(answer, response=response)

    def _broken_off(self, call: Call, wrong: HawkbitError | StoreFailed | OSError) -> HttpAnswer:
        """What went wrong while a long reply was made."""
        if isinstance(wrong, HawkbitError):
            return self._refuse(call, wrong, rollback=False)
        return HttpAnswer(self._failed(call.request, call.now_us), reason=str(wrong))

    def _answer(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        call = Call(request, session, now_us, self.repo)
        path = call.path
        page = container_answer(request.method, request.target, path)
        if page is not None:
            return HttpAnswer(page, reason=f"the servlet container itself answers: {request.method[:20]} {path[:200]}")
        if path == "/" and request.method in READING:
            return HttpAnswer(front_page(call.base))
        try:
            self._admit(call, now_us)
            if not call.device:
                open_tenant(self.repo, call.tenant, now_us)
            route, values, takes_long, content_type = self._found(call)
        except Options as options:
            return HttpAnswer(respond(options.reply, None, method=request.method, path=path), device=call.device)
        except HawkbitError as error:
            return self._refuse(call, error, rollback=False)
        try:
            reply: Reply | Steps = route.handler(call, *self._prepared(route, call, values, takes_long))
        except HawkbitError as error:
            return self._refuse(call, error, rollback=not error.keeps)
        if self.repo.notes is not None:
            self.repo.notes.caller = (call.tenant, call.address)
        writes = not call.device and request.method not in READING
        for scheduler in self._schedulers:
            scheduler.note(call.tenant, now_us, by_operator=writes)
        if isinstance(reply, Reply):
            return _answer_of(call, content_type, reply)
        return self._long.hold(
            LongReply(
                session.id,
                reply,
                lambda made: self._dressed(_answer_of(call, content_type, made), request),
                lambda wrong: self._dressed(self._broken_off(call, wrong), request),
                now_us,
            )
        )

    def next_due_us(self) -> int | None:
        return earliest_us(
            self._long.due_us, self._looks_again_us, *(scheduler.due_us for scheduler in self._schedulers)
        )

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """What is assigned by itself is assigned, rollouts take a step; a lapsed window waits for its device (§2.2)."""
        self.repo.store.when_settled(lambda committed: None if committed else self._undone(now_us))
        if self._looks_again_us is not None and self._looks_again_us <= now_us:
            self._look_again(now_us)
        for scheduler in self._schedulers:
            if scheduler.due_us is not None and scheduler.due_us <= now_us:
                scheduler.run(now_us)
        for tenant in {*self.repo.written_targets, *self.repo.moved_rollouts}:
            for scheduler in self._schedulers:
                scheduler.note(tenant, now_us, by_operator=False)
        return self._long.step()

    def _undone(self, now_us: int) -> None:
        """The store has failed: what the schedulers take for done is not."""
        self._looks_again_us = now_us + LOOK_AGAIN_AFTER_US

    def _look_again(self, now_us: int) -> None:
        self._looks_again_us = None
        for tenant in self.repo.store.tenants(TENANT):
            for scheduler in self._schedulers:
                scheduler.note(tenant, now_us, by_operator=True)

    def secrets(self) -> list[tuple[str, str]]:
        known, self.repo.new_secrets = self.repo.new_secrets, []
        return known

    def _needs_body(self, request: HttpRequest, session: Session, now_us: int) -> bool:
        """False for what is refused, or done, before its body is looked at."""
        passed_on = self._passed_on(request, session, now_us)
        if isinstance(passed_on, HttpAnswer):
            return False
        try:
            request, session = self._as_seen(passed_on, session)
            call = Call(request, session, now_us, self.repo)
            if container_answer(request.method, request.target, call.path) is not None or call.path == "/":
                return False
            self._admit(call, now_us, counts=False)
            route, values, takes_long, _ = self._found(call)
            arguments(values, takes_long)
        except (BadForwarding, OutsideContext, HawkbitError, Options):
            return False
        return route.method not in READING

    def _passed_on(self, request: HttpRequest, session: Session, now_us: int) -> HttpRequest | HttpAnswer:
        """What the proxy in front passes on, or answers itself; without one the request as it came."""
        verifier = self.repo.settings.client_verifier
        if verifier is None:
            return request
        return pass_on(request, session, now_us, verifier, self.repo.certificate_headers)

    def _as_seen(self, request: HttpRequest, session: Session) -> tuple[HttpRequest, Session]:
        """What is behind the container and the filter for proxies. Raises OutsideContext, BadForwarding."""
        settings = self.repo.settings
        if settings.context_path:
            request = inside_context(settings.context_path, request)
        return apply_forwarded_headers(settings.forwarding, request, session, settings.context_path)

    def _prepared_body(self, request: HttpRequest) -> Body:
        """For another thread: it reads settings, and keeps files, but no records."""
        content_type = request.header("content-type") or ""
        if not content_type.lower().startswith("multipart/"):
            return prepared_body(request)
        if not UPLOAD_PATH.fullmatch(decoded_where_plain(request.path)):
            return request.body
        return keep_upload(request.body, content_type, self.repo.blobs, self.repo.settings.quotas.artifact_bytes)

    def _release_body(self, body: Body) -> None:
        if isinstance(body, KeptUpload):
            body.discard(self.repo.blobs)

    def _broken_body(self, status: int, request: HttpRequest, now_us: int) -> HttpResponse:
        response = framework_reply(status, Call(request, Session(), now_us, self.repo))
        return in_charset(response, self.repo.traits)

    def _found(self, call: Call) -> tuple[Route, list[str], tuple[bool, ...], str | None]:
        """(route, path variables, which are numbers, type of the answer). Raises 404, 405, 406, 415, Options."""
        refuse_preflight(call.request.method, call.headers)
        check_boundary(call.headers.get("content-type", ""))
        router = self._devices if call.device else self._operators
        route, values, takes_long = router.find(call.request.method, call.segments)
        return route, values, takes_long, _content_types(route, call)

    def _admit(self, call: Call, now_us: int, *, counts: bool = True) -> None:
        """Everything before routing. Changes nothing but the counts of the DoS filter, and these only if told to."""
        method = call.request.method
        is_device = call.segments[1:3] == ["controller", "v1"]
        is_operator = call.segments[0] == "rest"
        if is_device or is_operator:
            self._dos.check("ddi" if is_device else "mgmt", method, call.address, now_us, counts=counts)
        check_path(method, call.path, has_body=call.traits.unknown_methods_have_body)
        check_host(call.headers.get("host", ""), call.settings.allowed_host_names)
        if is_device:
            device_auth.authenticate(call)
        elif is_operator:
            admin_auth.authenticate(call)
        elif call.path == "/":
            refuse_front_page(method)
        else:
            raise HawkbitError(404, framework=True, secured=False, reason=f"no API has the path {call.path[:200]}")

    def _prepared(self, route: Route, call: Call, values: list[str], takes_long: tuple[bool, ...]) -> list[object]:
        """The handler's arguments; reads the body and checks the right, in this order."""
        prepared = arguments(values, takes_long)
        if route.reads:
            _ = call.optional_json if route.body_is_optional else call.json
        if route.needs:
            call.need(route.needs)
        return prepared

    def _failed(self, request: HttpRequest, now_us: int) -> HttpResponse:
        """An error of the database is nothing that hawkBit foresees: the framework answers (§0.1)."""
        return refusal(framework(500, "the store has failed"), Call(request, Session(), now_us, self.repo))

    def _refuse(self, call: Call, error: HawkbitError, *, rollback: bool) -> HttpAnswer:
        response = refusal(reworded(error, call.traits), call)
        return HttpAnswer(response, reason=error.reason, device=call.device, rollback=rollback)


def _answer_of(call: Call, content_type: str | None, reply: Reply) -> HttpAnswer:
    if_none_match = call.headers.get("if-none-match")
    method, path = call.request.method, call.path
    response = respond(reply, content_type, method=method, path=path, if_none_match=if_none_match)
    return HttpAnswer(response, device=call.device, changed=reply.changed)


def _is_read(route: Route, sent: str, has_body: bool) -> bool:
    if route.reads is not ANY_BODY:
        return sent in route.reads or (route.body_is_optional and not has_body)
    return sent in route.reads or (sent.startswith("application/") and sent.endswith("+json")) or not (sent or has_body)


def _content_types(route: Route, call: Call) -> str | None:
    """The type of the answer. Raises 400 for a missing parameter, 415 for a body, 406 for an answer of another type."""
    missing = [name for name in route.asks if name not in call.query]
    if missing:
        raise framework(400, f"query parameter {missing[0]} is missing")
    if route.reads:
        sent = type_sent(call.headers.get("content-type", ""))
        has_body = (
            call.has_body or call.announces_body or bool(call.traits.bodies_need_type and call.device and not sent)
        )
        if not _is_read(route, sent, has_body):
            accepted = (("Accept", ", ".join(route.reads)),)
            raise framework(415, f"Content-Type {sent or 'missing'}: expected {' or '.join(route.reads)}", accepted)
    if not route.writes:
        return None
    content_type = negotiate(call.accept, route.writes)
    if content_type is None:
        offered = (("Accept", ", ".join(route.writes)),)
        raise framework(406, f"Accept {(call.accept or '')[:100]!r}: there is {', '.join(route.writes)}", offered)
    return content_type
