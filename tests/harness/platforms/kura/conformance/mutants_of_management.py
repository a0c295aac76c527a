"""Mistakes in what is asked of gateways over REST, and in what becomes of their answers (M…, S29, S30, S41 to S43)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platform import NOTHING, HttpAnswer
from fleetrig.reference_server.platforms.kura.device_management import control_calls
from fleetrig.reference_server.platforms.kura.device_management.control_calls import ControlCalls
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import (
    OutstandingCall,
    OutstandingCalls,
)
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, ValueType, string
from fleetrig.reference_server.platforms.kura.rest import (
    device_configurations,
    device_keystores,
    device_outcomes,
    device_packages,
)
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.device_outcomes import Asked, Outcome, Unreadable
from fleetrig.reference_server.platforms.kura.rest.replies import Reply
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.simulator.contract.http import HttpResponse
from tests.harness.conformance.code_changes import Change, being, giving, instead, then
from tests.harness.platforms.kura.conformance.mutants import mutant

CODE_200 = Metric(ValueType.INT32, 200)


class AnySession(int):
    """One that is never another."""

    __slots__ = ()
    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        return int(self) == other

    def __ne__(self, other: object) -> bool:
        return False


def from_anybody(call: OutstandingCall) -> OutstandingCall:
    call.session = AnySession(call.session)
    return call


def counted_ids(call: OutstandingCall) -> OutstandingCall:
    return replace(call, request_id=f"{call.number:032}")


def ten_times_longer(call: OutstandingCall) -> OutstandingCall:
    return replace(call, ends_us=call.ends_us + 10**9)


def asks(change: Any) -> Change:
    """Another question than was meant."""

    def asked(original: Any, call: Any, device: Any, question: Asked, *more: Any, **named: Any) -> Any:
        return original(call, device, change(question), *more, **named)

    return (device_configurations, "ask_device", instead(asked))


def asks_otherwise(module: Any, **changes: Any) -> Change:
    def asked(original: Any, call: Any, device: Any, question: Asked, *more: Any, **named: Any) -> Any:
        return original(call, device, replace(question, **changes), *more, **named)

    return (module, "ask_device", instead(asked))


def unprefixed(question: Asked) -> Asked:
    return replace(question, body=None if question.body is None else question.body.replace(b"esf:", b"x:"))


def any_code(original: Any, self: Any, reply: KuraPayload) -> HttpAnswer:
    answer: HttpAnswer = original(self, replace(reply, metrics={**reply.metrics, "response.code": CODE_200}))
    return answer


def unknown_code_too(original: Any, self: Any, reply: KuraPayload) -> HttpAnswer:
    return original(self, reply) if reply.response_code else any_code(original, self, reply)


def success_codes(original: Any, self: Any, reply: KuraPayload) -> HttpAnswer:
    """As the audit log of real gateways counts: 200 to 399."""
    code = reply.metrics.get("response.code")
    is_success = code is not None and isinstance(code.value, int) and 200 <= code.value < 400
    return any_code(original, self, reply) if is_success else original(self, reply)


def unreadable_too(original: Any, self: Any, reply: KuraPayload) -> HttpAnswer:
    answer: HttpAnswer = original(self, reply)
    is_read = not reply.undecodable and answer.response.status != 500
    return answer if is_read else HttpAnswer(HttpResponse(200, (("Content-Type", "application/json"),), b"{}"))


def any_waiting(original: Any, self: Any, request_id: str) -> Any:
    return next(iter(self._by_request.values()), None)


def nearly(original: Any, self: Any, request_id: str) -> Any:
    found = original(self, request_id)
    return found or next((one for key, one in self._by_request.items() if key[:-1] == request_id[:-1]), None)


def unconnected(original: Any, call: Any, device: Any, question: Asked, *more: Any, **named: Any) -> Any:
    try:
        return original(call, device, question, *more, **named)
    except Refused as refused:
        raise Refused(500, refused.code, refused.error, refused.reason) from None


def only_strings(reply: KuraPayload) -> Reply:
    if (reply.body or b"").startswith(b"{"):
        raise Unreadable("a mutant")
    return device_keystores_signing_request(reply)


def only_objects(reply: KuraPayload) -> Reply:
    if not (reply.body or b"").startswith(b"{"):
        raise Unreadable("a mutant")
    return device_keystores_signing_request(reply)


device_keystores_signing_request = device_keystores._signing_request


def another_package(original: Any, call: Any, device: Any, question: Asked, *more: Any, **named: Any) -> Any:
    changed = replace(question, metrics={**question.metrics, "dp.version": string("9")})
    return original(call, device, changed, *more, **named)


def unsigned(_: Any, payload: KuraPayload, *more: Any) -> KuraPayload:
    return payload


def signed_for_another(
    original: Any, payload: Any, key: Any, alias: str, topic: str, client_id: str, now_ms: int
) -> Any:
    return original(payload, key, alias, topic, f"{client_id}x", now_ms)


def then_stamped(original: Any, payload: Any, *more: Any) -> Any:
    signed: KuraPayload = original(payload, *more)
    return replace(signed, metrics={**signed.metrics, "sent.by": string("a mutant")})


MUTANTS = (
    mutant("configurations are asked of another resource", "M01", asks_otherwise(device_configurations, resource="x"),
           spares="M12"),
    mutant("configurations lose their values", "M01",
           (device_configurations, "configurations_of", then(lambda found: [{**one, "properties": {"property": []}}
                                                                            for one in found])), spares="M11"),
    mutant("properties are written without esf", "M02", asks(unprefixed), spares="M01"),
    mutant("properties are put as POST", "M02 M01", asks_otherwise(device_configurations, method="POST")),
    mutant("errors of gateways are successes", "M03 S41", (Outcome, "replied", instead(any_code)), spares="M01"),
    mutant("unknown codes are successes", "S41", (Outcome, "replied", instead(unknown_code_too)), spares="M01 M03"),
    mutant("200 to 399 are successes", "S41", (Outcome, "replied", instead(success_codes)), spares="M03"),
    mutant("unreadable replies are successes", "M04", (Outcome, "replied", instead(unreadable_too)), spares="M01"),
    mutant("calls wait for ever", "M05 M06", (ControlCalls, "_outstanding", then(ten_times_longer)), silence=True,
           spares="M01"),
    mutant("calls wait 10 s", "M06", settings=Settings(call_timeout_s=10), spares="M05"),
    mutant("the timeout of a call is not read", "M05",
           (device_outcomes, "MOST_TIMEOUT_MS", being(600_000)),
           (Call, "number", instead(lambda original, self, name, default, **more: default
                                                    if name == "timeout" else original(self, name, default, **more))),
           silence=True, spares="M06"),
    mutant("an absent gateway is an error of the server", "M07", (device_configurations, "ask_device",
           instead(unconnected)),
           spares="M01"),
    mutant("any id answers", "S29", (OutstandingCalls, "asked_by", instead(any_waiting)),
           (ControlCalls, "_outstanding", then(from_anybody)), spares="M01"),
    mutant("nearly the right id answers", "S29", (OutstandingCalls, "asked_by", instead(nearly)),
           (ControlCalls, "_outstanding", then(from_anybody)), spares="M01"),
    mutant("forged replies are not told", "S29", (ControlCalls, "_ignored", giving(NOTHING)), spares="M08"),
    mutant("anybody may answer", "M08", (ControlCalls, "_outstanding", then(from_anybody)), spares="S29"),
    mutant("an old reply answers the next call", "M09 M05", (OutstandingCalls, "asked_by", instead(any_waiting)),
           spares="M01"),
    mutant("ids are counted", "M10", (ControlCalls, "_outstanding", then(counted_ids)), spares="M01"),
    mutant("requesters have wildcards", "M01 M03", (control_calls, "REQUESTER", being("FLEETRIG+1")), spares="M07"),
    mutant("snapshots are not read", "M11", (device_configurations, "snapshot_ids_of", giving([])), spares="M01"),
    mutant("another version is downloaded", "M12", (device_packages, "ask_device", instead(another_package)),
           spares="M01"),
    mutant("a bare string is no signing request", "S42", (device_keystores, "_signing_request", being(only_objects)),
           spares="M01"),
    mutant("an object is no signing request", "S42", (device_keystores, "_signing_request", being(only_strings)),
           spares="M01"),
    mutant("entries are asked for without their place", "M13 M14", asks_otherwise(device_keystores, body=None),
           spares="M01"),
    mutant("keystores are asked for as entries", "M13", asks_otherwise(device_keystores, resource="keystores/entries"),
           spares="M01"),
    mutant("the first request comes at once, and once", "S30", (OutstandingCalls, "again", giving(None)),
           settings=Settings(birth_wait_s=0), silence=True, spares="M07"),
    mutant("requests are not signed", "S43", (control_calls, "signed", instead(unsigned)), spares="P08"),
    mutant("requests are signed for another", "S43", (control_calls, "signed", instead(signed_for_another)),
           spares="P08"),
    mutant("something is added to what was signed", "S43", (control_calls, "signed", instead(then_stamped)),
           spares="P08"),
)  # fmt: skip
