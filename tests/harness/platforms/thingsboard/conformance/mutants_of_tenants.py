"""Mistakes in tenants and their limits, in claims, and in what takes long (S51, S74, S81, S82, S98, S101, S105)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.harness.platforms.thingsboard.conformance import time_outs
from fleetrig.reference_server.platforms.thingsboard import platform
from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.coap import transport as coap_transport
from fleetrig.reference_server.platforms.thingsboard.coap.transport import COAP_RULES
from fleetrig.reference_server.platforms.thingsboard.http import provision_call
from fleetrig.reference_server.platforms.thingsboard.http.api import HttpApi
from fleetrig.reference_server.platforms.thingsboard.mqtt import device_messages
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.provisioning import decision
from fleetrig.reference_server.platforms.thingsboard.rest import claims as rest_claims
from fleetrig.reference_server.platforms.thingsboard.state import claims, devices
from fleetrig.reference_server.platforms.thingsboard.state.claims import ClaimResult
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import MessageLimits
from fleetrig.reference_server.platforms.thingsboard.state.records import CLAIM_OFFER, DEVICE, INSTALLATION
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import Change, being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import coap_sends, http_answers, mutant

NEVER_US = 1 << 50
TELEMETRY = "/telemetry"


def named_anywhere(original: Any, registry: Any, tenant_id: str, name: str) -> Any:
    """Whatever the tenant."""
    return next((one for one in registry.store.scan(DEVICE, INSTALLATION) if one.name == name), None)


def of_too_many(change: Any) -> Change:
    """Another answer to a device that has said too much over HTTP."""

    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return change(response) if request.path.endswith(TELEMETRY) and response.status == 500 else response

    return http_answers(changed)


def told_to_come_back(response: HttpResponse) -> HttpResponse:
    return replace(response, headers=(*response.headers, ("Retry-After", "60")))


def five_of_a_profile(original: Any) -> Any:
    """Provisioning counts as what devices say does."""
    made: dict[str, int] = {}

    def create(registry: Any, request: Any, profile: Any, *more: Any) -> Any:
        made[profile.id] = made.get(profile.id, 0) + 1
        return decision._failed("too many") if made[profile.id] > 5 else original(registry, request, profile, *more)

    return create


def no_fewer_over_coap(response: Any) -> Any:
    return replace(response, code="4.29") if response.code == "5.00" else response


def offer_stays(original: Any, registry: Any, device: Any, *more: Any) -> Any:
    """A wrong secret costs nothing."""
    offered = registry.store.get(CLAIM_OFFER, INSTALLATION, device.id)
    result = original(registry, device, *more)
    if result is ClaimResult.FAILURE and offered is not None:
        registry.store.put(CLAIM_OFFER, INSTALLATION, offered)
    return result


def any_secret(original: Any, registry: Any, device: Any, customer_id: str, secret_key: str, now_us: int) -> Any:
    offered = registry.store.get(CLAIM_OFFER, INSTALLATION, device.id)
    known = secret_key if offered is None else offered.secret_key
    return original(registry, device, customer_id, known, now_us)


def claimed_again(original: Any, *more: Any) -> Any:
    result = original(*more)
    return ClaimResult.FAILURE if result is ClaimResult.CLAIMED else result


def without_first(reaction: Any) -> Any:
    return replace(reaction, outputs=list(reaction.outputs)[1:])


SOON: Change = (platform, "GIVES_UP_AFTER_US", being(US_PER_S // 2))
"""The store of these servers is given up soon."""
MUTANTS = (
    mutant(
        "names are taken for all tenants", "S51", (devices, "device_named", instead(named_anywhere)), spares="S01 S04"
    ),
    mutant("tenants have as many devices as they like", "S82", (devices, "check_room", giving(None)), spares="S51"),
    mutant("devices say as much as they like", "S105", (MessageLimits, "take", giving(None)), spares="S03"),
    mutant(
        "who says too much over MQTT is acknowledged and stays",
        "S105",
        (device_messages, "too_many", then(lambda answer: replace(answer, ends=False, is_acknowledged=True, code=0))),
        spares="S61",
    ),
    mutant(
        "who says too much over MQTT is acknowledged at the end",
        "S105",
        (device_messages, "too_many", then(lambda answer: replace(answer, is_acknowledged=True))),
        spares="S61",
    ),
    mutant(
        "who says too much over MQTT hears nothing",
        "S105",
        (device_messages, "too_many", then(lambda answer: replace(answer, ends=False))),
        spares="S61",
        silence=True,
    ),
    mutant(
        "who says too much over HTTP is told so",
        "S105",
        of_too_many(lambda response: replace(response, status=429)),
        spares="S95",
    ),
    mutant("who says too much over HTTP is told to come back", "S105", of_too_many(told_to_come_back), spares="S95"),
    mutant(
        "who says too much over HTTP is told why",
        "S105",
        of_too_many(lambda response: replace(response, body=b"too many")),
        spares="S95",
    ),
    mutant("who says too much over CoAP is told so", "S105 S81", *coap_sends(no_fewer_over_coap), spares="S73"),
    mutant("provisioning counts as a message", "S105", (decision, "create", five_of_a_profile), spares="S06"),
    # claims
    mutant("a wrong secret leaves the offer", "S101", (rest_claims, "take", instead(offer_stays)), spares="S29"),
    mutant("any secret claims a device", "S101", (rest_claims, "take", instead(any_secret)), spares="S29"),
    mutant("an offer is told and not kept", "S101", (claims, "offer", giving(True)), spares="S29"),
    mutant(
        "nobody hears that a device is claimed", "S101", (rest_claims, "take", instead(claimed_again)), spares="S29"
    ),
    # what takes long
    mutant(
        "a slow answer is not acknowledged before",
        "S74",
        (platform, "COAP_RULES", being(replace(COAP_RULES, empty_ack_after_us=NEVER_US))),
        spares="S71 S99",
    ),
    mutant(
        "what is given up is 503 over HTTP", "S81", (provision_call, "GAVE_UP", being(HttpResponse(503))), spares="S95"
    ),
    mutant(
        "what is given up has a body over HTTP",
        "S81",
        (provision_call, "GAVE_UP", being(HttpResponse(500, body=b"{}"))),
        spares="S95",
    ),
    mutant("what is given up is 5.03 over CoAP", "S81", (over_coap, "INTERNAL_ERROR", being("5.03")), spares="S73"),
    mutant(
        "a slow store is waited for",
        "S98",
        (ThingsBoardPlatform, "gives_up_after_us", giving(None)),
        (time_outs, "TOO_SLOW_S", being(1)),
        spares="S10",
    ),
    mutant("a slow store ends MQTT without PUBACK", "S98", SOON, (MqttInterface, "failed", then(without_first))),
    mutant(
        "a slow store has a body over HTTP", "S98", SOON, (HttpApi, "_failure", giving(HttpResponse(500, body=b"{}")))
    ),
    mutant("a slow store is 5.03 over CoAP", "S98", SOON, (coap_transport, "INTERNAL_ERROR", being("5.03"))),
)
