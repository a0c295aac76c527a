"""Mistakes in provision requests and in the rest of the REST API (R…, S22 to S27, P03 to P06)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.kura.rest import (
    api,
    authentication,
    credentials,
    provision_documents,
    provision_filters,
    replies,
)
from fleetrig.reference_server.platforms.kura.rest import (
    provision_requests as requests_api,
)
from fleetrig.reference_server.platforms.kura.rest.api import RestApi
from fleetrig.reference_server.platforms.kura.state import provision_requests, users
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import Change, being, giving, instead
from tests.harness.platforms.kura.conformance.mutants import mutant

REQUESTS = "/v2/provisionRequests"


def answers(change: Callable[[HttpRequest, HttpResponse], HttpResponse]) -> Change:
    """Everything happens as it should, but the answer is another one."""

    def mutated(original: Any, self: Any, request: HttpRequest, *more: Any) -> Any:
        answer = original(self, request, *more)
        return replace(answer, response=change(request, answer.response)) if isinstance(answer, HttpAnswer) else answer

    return (RestApi, "handle", instead(mutated))


def shows(path: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Other documents at paths that have this in them."""

    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        body = body_bytes(response.body)
        if path not in request.path or response.status >= 300 or not body.startswith(b"{"):
            return response
        return replace(response, body=json.dumps(change(json.loads(body))).encode())

    return answers(changed)


def refuses(path: str, before: int, status: int) -> Change:
    """Another status in the place of one."""

    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_meant = path in request.path and response.status == before
        return replace(response, status=status) if is_meant else response

    return answers(changed)


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: {name: value for name, value in document.items() if name not in names}


def of_job(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(document: dict[str, Any]) -> dict[str, Any]:
        job = document.get("provisionJob")
        return document if job is None else {**document, "provisionJob": {**job, **changes}}

    return change


def filtered(change: Callable[[list[Any], Any], list[Any]]) -> Change:
    """Other entries in a list of requests."""

    def wanted(original: Any, call: Any, scope_id: str) -> list[Any]:
        return change(original(call, scope_id), call)

    return (requests_api, "wanted_requests", instead(wanted))


def every_filter(original: Any, call: Any, scope_id: str) -> list[Any]:
    """All that is asked has to hold, as most would write it."""
    found = original(call, scope_id)
    client_ids, statuses = call.query.get("clientIDs", []), call.query.get("statuses", [])
    return [one for one in found if (not client_ids or one.client_id in client_ids)
            and (not statuses or one.job.status in statuses)]  # fmt: skip


def by_request_status(original: Any, call: Any, scope_id: str) -> list[Any]:
    found = original(call, scope_id)
    return [one for one in found if one.status in call.query["statuses"]] if "statuses" in call.query else found


def kept_when_overwritten(original: Any, registry: Any, draft: Any, *more: Any) -> Any:
    older = [
        one for one in provision_requests.requests_for(registry, draft.client_id) if one.scope_id == draft.scope_id
    ]
    return older[0] if older and draft.overwrite_if_duplicate else original(registry, draft, *more)


def always_overwritten(original: Any, registry: Any, draft: Any, *more: Any) -> Any:
    return original(registry, replace(draft, overwrite_if_duplicate=True), *more)


def with_one_key(original: Any, registry: Any, draft: Any, *more: Any) -> Any:
    made = original(registry, draft, *more)
    return replace(made, activation_key="A" * 32) if made.activation_key else made


def with_short_key(original: Any, registry: Any, draft: Any, *more: Any) -> Any:
    made = original(registry, draft, *more)
    return replace(made, activation_key=made.activation_key[:-1])


def always_with_key(original: Any, registry: Any, draft: Any, *more: Any) -> Any:
    return original(registry, replace(draft, generate_activation_key=True), *more)


def told_with_its_key(original: Any, self: Any, request: HttpRequest, *more: Any) -> Any:
    """Keys among the steps to an answer."""
    answer = original(self, request, *more)
    if request.method != "POST" or not request.path.startswith(REQUESTS) or answer.response.status != 201:
        return answer
    key = json.loads(body_bytes(answer.response.body)).get("activationKey", "")
    return replace(answer, steps=(f"with_{key}",))


def any_optlock(original: Any, registry: Any, request: Any, change: Any, optlock: int, *more: Any) -> Any:
    return original(registry, request, change, request.optlock, *more)


def any_attachments(attachments: Any) -> None:
    return None


def refuses_basic() -> Change:
    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_basic = (request.header("authorization") or "").startswith("Basic ")
        return replace(response, status=401) if is_basic else response

    return answers(changed)


def by_name_alone(original: Any, registry: Any, username: str, password: str, now_us: int) -> Any:
    user = users.user_by_name(registry, username)
    return (user, None) if user is not None else original(registry, username, password, now_us)


def with_password(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What was asked is shown again, as it came."""
    if request.method != "POST" or not request.path.startswith(REQUESTS) or response.status != 201:
        return response
    asked, shown = json.loads(body_bytes(request.body)), json.loads(body_bytes(response.body))
    return replace(response, body=json.dumps({**asked, **shown}).encode())


CREATE = "create_request"
MUTANTS = (
    mutant("overwriting keeps the old request", "S22 S23", (requests_api, CREATE, instead(kept_when_overwritten)),
           spares="S02"),
    mutant("every request overwrites", "S23", (requests_api, CREATE, instead(always_overwritten)), spares="S22"),
    mutant("dates in any order", "S24", (provision_requests, "_check_dates", giving(None)), spares="S23"),
    mutant("any number of attachments", "S24", (provision_requests, "check_attachments", being(any_attachments)),
           spares="S23"),
    mutant("one key for all", "S25", (requests_api, CREATE, instead(with_one_key)), spares="P04"),
    mutant("keys of 31 characters", "S25", (requests_api, CREATE, instead(with_short_key)), spares="P04"),
    mutant("each request has a key", "S25", (requests_api, CREATE, instead(always_with_key)), spares="P04"),
    mutant("keys are told", "S25", (RestApi, "handle", instead(told_with_its_key)), (Registry, "learn", giving(None))),
    mutant("any optlock", "S26", (requests_api, "update_request", instead(any_optlock)), spares="P04"),
    mutant("a stale request is a bad one", "S26", refuses(REQUESTS, 409, 400), spares="S23"),
    mutant("all filters have to hold", "S27", (requests_api, "wanted_requests", instead(every_filter)), spares="P03"),
    mutant("statuses are those of requests", "S27", (requests_api, "wanted_requests", instead(by_request_status)),
           spares="P03"),
    mutant("periods are not looked at", "S27", (provision_filters, "_is_active_within", giving(True)), spares="P03"),
    mutant("client ids are not looked at", "S27",
           filtered(lambda found, call: provision_requests.requests_of(call.registry, found[0].scope_id)
                    if found and call.query.get("clientIDs") else found), spares="P03"),
    mutant("pages have 51", "P03", (requests_api, "LIMIT", being(51)), spares="S27"),
    mutant("there is never more", "P03", shows(REQUESTS, lambda found: {**found, "limitExceeded": False}
                                               if "limitExceeded" in found else found), spares="S27"),
    mutant("requests do not show who made them", "P04", shows(REQUESTS, without("createdBy")), spares="S27"),
    mutant("dates are texts", "P04", shows(REQUESTS, lambda found: {**found, "activatesOn": "1970-01-01T00:00:01.000Z"}
                                           if "activatesOn" in found else found), spares="S27"),
    mutant("requests show their password", "P04", answers(with_password), spares="S27"),
    mutant("a job shows one attempt less", "P04", shows(REQUESTS, of_job(retryMaxAttempts=6)), spares="S27"),
    mutant("bad requests are errors of the server", "P05", refuses(REQUESTS, 400, 500), spares="P04"),
    mutant("a missing request is empty", "P05", refuses(REQUESTS, 404, 204), spares="P04"),
    mutant("XML is answered in JSON", "P06", (requests_api, "wants_xml", giving(False)), spares="P04"),
    mutant("XML in another namespace", "P06", (provision_documents, "EDC", being("urn:x")), spares="P04"),
    mutant("Basic is not taken", "P13", refuses_basic(), spares="P04"),
    mutant("any password will do for Basic", "P13", (api, "sign_in", instead(by_name_alone)), spares="P04"),
    # the rest
    mutant("a sign-in does not say when it ends", "R01", shows("/authentication/user", without("expiresOn")),
           spares="R02"),
    mutant("a wrong password is 403", "R01", refuses("/authentication/user", 401, 403), spares="R02"),
    mutant("nobody has to sign in", "R01", refuses("/accounts", 401, 200), spares="R02"),
    mutant("a second one of a name", "R02", refuses("/users", 409, 400), spares="R03"),
    mutant("what was deleted is 400", "R02", refuses("/users", 404, 400), spares="R03"),
    mutant("any password is good enough", "R03", (credentials, "check_password", giving(None)), spares="R02"),
    mutant("rights are not looked at", "R04", (api, "check_permitted", giving(None)), spares="R02"),
    mutant("all is forbidden with 401", "R04", refuses("/users", 403, 401), spares="R02"),
    mutant("lists have 51", "R05", (replies, "LIMIT", being(51)), spares="R02"),
    mutant("lists never have more", "R05", shows("/users", lambda found: {**found, "limitExceeded": False}
                                                 if "limitExceeded" in found else found), spares="R02"),
    mutant("a second device of a client id is 400", "R06", refuses("/devices", 409, 400), spares="R02"),
    mutant("an old optlock of a device", "R06", refuses("/devices", 500, 200), spares="R02"),
    mutant("unreadable users are errors of the server", "R07", refuses("/users", 400, 500), spares="R02"),
    mutant("tokens outlive a logout", "R08", (authentication, "invalidate", giving(None)), spares="R01"),
    mutant("queries find all", "R09", (replies, "predicate_of", giving(None)), spares="R06"),
    mutant("errors have no message", "R02 R03", (replies, "_encoded", instead(
        lambda original, found: original({k: v for k, v in found.items() if k != "message"}
                                         if isinstance(found, dict) else found))), spares="R01"),
)  # fmt: skip
