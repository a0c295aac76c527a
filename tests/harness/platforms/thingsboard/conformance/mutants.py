"""Reference servers with one mistake each: what a conformance suite is good for is to find them.

A mutant is a change or two of single attributes of the platform's modules, made while one server runs. It names the
rows that have to find it; each of them has to, and the rows that it spares pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.coap.transport import CoapTransport
from fleetrig.reference_server.platforms.thingsboard.http import provision_call as over_http
from fleetrig.reference_server.platforms.thingsboard.mqtt import interface
from fleetrig.reference_server.platforms.thingsboard.mqtt import provision_sessions as over_mqtt
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.mqtt.session_rules import SESSION_RULES
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.provisioning import answers, decision
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, Status
from fleetrig.reference_server.platforms.thingsboard.state import generations, registry
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import Change, applied, being, instead, then

PATH = "/api/v1/provision"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake."""

    name: str
    caught_by: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    spares: tuple[str, ...] = ()
    """Rows near by that it leaves as they are."""
    settings: Settings = field(default_factory=Settings)
    is_silence: bool = False
    """Something never comes: rows that find it need not wait for it as long as for a server far away."""

    def applied(self) -> AbstractContextManager[None]:
        return applied(self.changes)


def mutant(
    name: str, rows: str, *changes: Change, spares: str = "", silence: bool = False, settings: Settings | None = None
) -> Mutant:
    """`rows` and `spares` separated by blanks."""
    return Mutant(name, tuple(rows.split()), changes, tuple(spares.split()), settings or Settings(), silence)


# -- mistakes in what is decided, over every transport


def deciding(change: Callable[..., Decision]) -> tuple[Change, ...]:
    """`change(original, registry, request, profile, name, now_us)` once the profile is known."""
    return ((decision, "_by_strategy", instead(change)),)


def deciding_on_listed(change: Callable[..., Decision]) -> tuple[Change, ...]:
    """`change(original, registry, request, profile, device, name, now_us)` for CHECK_PRE_PROVISIONED_DEVICES."""
    return ((decision, "_check_listed", instead(change)),)


def unknown_for(reason: str, status: Status = Status.FAILURE) -> Change:
    """What is NOT_FOUND for this reason is of another status."""

    def change(original: Any, why: str) -> Any:
        return replace(original(why), status=status) if reason in why else original(why)

    return (decision, "_not_found", instead(change))


def answered(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Change:
    """Another document than the server's, JSON over every transport."""
    return (answers, "_answered", then(lambda document: change(dict(document))))


def with_traits(profile: generations.Profile = generations.Profile.CURRENT, **changes: Any) -> Change:
    """A generation with one trait of another."""
    traits = {**generations.TRAITS, profile: replace(generations.TRAITS[profile], **changes)}
    return (registry, "TRAITS", being(traits))


def of_each(name: str, change: Callable[[Any], Any]) -> tuple[Change, ...]:
    """What all three transports have under this name."""
    return tuple((module, name, change) for module in (over_http, over_mqtt, over_coap))


def rules(**changes: Any) -> Change:
    """Other rules of MQTT's sessions."""
    return (interface, "SESSION_RULES", being(replace(SESSION_RULES, **changes)))


# -- mistakes that show in HTTP answers only


def http_answers(change: Callable[[HttpRequest, HttpResponse], HttpResponse]) -> Change:
    """Everything happens as it should, but the answer is another one."""

    def mutated(original: Any, platform: Any, request: HttpRequest, *more: Any) -> HttpAnswer:
        answer: HttpAnswer = original(platform, request, *more)
        return replace(answer, response=change(request, answer.response))

    return (ThingsBoardPlatform, "handle", instead(mutated))


def http_status(before: int, after: int, path: str = PATH, says: bytes = b"", method: str = "") -> Change:
    """Another status for this path, where the body has this text."""

    def change(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_meant = response.status == before and says in bytes_of(response) and method in ("", request.method)
        return replace(response, status=after) if is_meant and request.path == path else response

    return http_answers(change)


def bytes_of(response: HttpResponse) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


# -- mistakes that show in what sessions get

Performed = Callable[[list[Output]], list[Output]]


def sessions_get(change: Performed, owner: type = MqttInterface, names: str = "receive advance hear") -> list[Change]:
    """Other outputs than MQTT's sessions would have."""

    def changed(result: Any) -> Any:
        if isinstance(result, Reaction):
            return replace(result, outputs=change(list(result.outputs)))
        return [changed(one) for one in result]

    return [(owner, name, then(changed)) for name in names.split()]


def envelopes(kind: type, change: Callable[[Any], Any]) -> Performed:
    """Each envelope of a kind changed, or None: not sent at all."""

    def one(output: Output) -> Output | None:
        if not isinstance(output, Send) or not isinstance(output.envelope, kind):
            return output
        envelope = change(output.envelope)
        return None if envelope is None else replace(output, envelope=envelope)

    return lambda outputs: [found for output in outputs if (found := one(output)) is not None]


def mqtt_sends(kind: type, change: Callable[[Any], Any]) -> list[Change]:
    return sessions_get(envelopes(kind, change))


def mqtt_never_sends(kind: type) -> list[Change]:
    return sessions_get(envelopes(kind, lambda _: None))


def mqtt_never_closes() -> list[Change]:
    return sessions_get(lambda outputs: [output for output in outputs if not isinstance(output, Close)])


def mqtt_closes_after(kind: type, when: Callable[[Any], bool]) -> list[Change]:
    """Bare closes that should not come."""

    def change(outputs: list[Output]) -> list[Output]:
        ended = [one.session for one in outputs if isinstance(one, Send) and isinstance(one.envelope, kind)
                 and when(one.envelope)]  # fmt: skip
        return [*outputs, *map(Close, ended)]

    return sessions_get(change, names="receive")


def coap_sends(change: Callable[[CoapResponse], CoapResponse | None]) -> list[Change]:
    return sessions_get(envelopes(CoapResponse, change), CoapTransport, "receive advance")


def session_of(outputs: Sequence[Output]) -> int:
    return next(one.session for one in outputs if isinstance(one, Send | Close))
