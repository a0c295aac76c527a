"""Mistakes in new devices by key and secret, and in whom a server refuses (S01 to S15, S30, S31, S47 to S50, S96)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.coap import device_requests
from fleetrig.reference_server.platforms.thingsboard.coap import transport as coap_transport
from fleetrig.reference_server.platforms.thingsboard.device_api import said
from fleetrig.reference_server.platforms.thingsboard.http import device_calls
from fleetrig.reference_server.platforms.thingsboard.mqtt import device_messages, logins
from fleetrig.reference_server.platforms.thingsboard.provisioning import (
    answers,
    decision,
    json_request,
    lenient_json,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Status
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import JsonNumber, NotJson
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import Unusable
from fleetrig.reference_server.platforms.thingsboard.rest import devices as rest_devices
from fleetrig.reference_server.platforms.thingsboard.state import attributes, devices, field_rules, profiles
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials, sha3
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, ProvisionType, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import (
    deciding,
    mutant,
    of_each,
    unknown_for,
)

ALLOW, DISABLED = ProvisionType.ALLOW_CREATE, ProvisionType.DISABLED
TOKEN = CredentialsType.ACCESS_TOKEN
KNOWN = {"deviceName", "credentialsType", "token", "clientId", "username", "password", "hash", "gateway",
         "provisionDeviceKey", "provisionDeviceSecret"}  # fmt: skip


def in_default_profile(original: Any, registry: Any, profile: Any, *more: Any) -> Any:
    return original(registry, profiles.default_profile(registry, profile.tenant_id), *more)


def strictly(text: str) -> Any:
    try:
        return lenient_json.PLAIN.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(str(error)) from None


def with_token_of_another(original: Any, credentials: Any) -> Any:
    value = original(credentials)
    return value.swapcase() if credentials.type is TOKEN else value


def created_then_gone(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.device is not None:
        devices.delete_device(registry, decided.device)
    return decided


def in_scope(scope: Scope) -> Any:
    return instead(lambda original, registry, device, _, *more: original(registry, device, scope, *more))


def gives_again(original: Any, registry: Any, request: Any, profile: Any, *more: Any) -> Any:
    decided = original(registry, request, profile, *more)
    if decided.status is Status.FAILURE and decided.device is not None and profile.provision_type is ALLOW:
        found = devices.credentials_of(registry, decided.device.id)
        return replace(decided, status=Status.SUCCESS, credentials=found)
    return decided


def token_lost_by_asking(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.FAILURE and decided.device is not None:
        stored = devices.credentials_of(registry, decided.device.id)
        assert stored is not None
        devices.save_credentials(registry, stored, FormedCredentials(TOKEN, registry.new_word()))
    return decided


def needs_a_name(original: Any, registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
    return original(registry, request, profile, name, now_us) if name else decision._failed("no name")


def short_generated_names(original: Any, registry: Any, profile: Any, new: Any, now_us: int) -> Any:
    is_generated = re.fullmatch(r"[A-Za-z0-9]{20}", new.name)
    return original(registry, profile, replace(new, name=new.name[:10]) if is_generated else new, now_us)


def one_name_for_all(original: Any, registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
    return original(registry, request, profile, name or "N" * 20, now_us)


def key_before_name(original: Any, registry: Any, request: Any, now_us: int) -> Any:
    is_blank = request.device_name and not request.device_name.strip()
    return original(registry, replace(request, device_name="") if is_blank else request, now_us)


def unusable_if(is_bad: Any) -> Any:
    """A document is refused for another reason than those of the server."""

    def change(original: Any, document: Any, traits: Any) -> Any:
        if is_bad(document):
            raise Unusable("no", "for no reason")
        return original(document, traits)

    return (json_request, "request_of", instead(change))


def created_all_the_same(original: Any, registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
    decided = original(registry, request, profile, name, now_us)
    if decided.status is Status.NOT_FOUND and profile.provision_type is ALLOW and name:
        decision.create(registry, request, profile, name, now_us)
    return decided


def any_secret(original: Any, registry: Any, request: Any, profile: Any, *more: Any) -> Any:
    return original(registry, replace(request, secret=profile.provision_secret), profile, *more)


def first_letter_of_secret(original: Any, registry: Any, request: Any, profile: Any, *more: Any) -> Any:
    is_alike = profile.provision_secret[:1] == request.secret[:1]
    secret = profile.provision_secret if is_alike else request.secret
    return original(registry, replace(request, secret=secret), profile, *more)


def name_before_secret(original: Any, registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
    if devices.device_named(registry, profile.tenant_id, name) is not None and profile.provision_type is ALLOW:
        return decision._failed("the name is taken")
    return original(registry, request, profile, name, now_us)


def as_if_enabled(original: Any, registry: Any, request: Any, profile: Any, *more: Any) -> Any:
    is_disabled = profile.provision_type is DISABLED
    return original(registry, request, replace(profile, provision_type=ALLOW) if is_disabled else profile, *more)


def overlooked_in_disabled_profiles(original: Any, registry: Any, tenant_id: str, name: str) -> Any:
    found = original(registry, tenant_id, name)
    profile = None if found is None else profiles.profile_by_id(registry, found.profile_id)
    return None if profile is not None and profile.provision_type is DISABLED else found


def token_of_name(original: Any, registry: Any, profile: Any, new: Any, now_us: int) -> Any:
    made = new.credentials or FormedCredentials(TOKEN, sha3(new.name)[:20])
    return original(registry, profile, replace(new, credentials=made), now_us)


def with_fraction(original: Any, document: Any, name: str) -> Any:
    text = original(document, name)
    return f"{text}.0" if isinstance(document.get(name), JsonNumber) else text


def any_length(original: Any, field_name: str, text: Any, *_: Any) -> None:
    original(field_name, text, 1000)


def names_for_once(original: Any) -> Any:
    """A name that was given is taken for ever."""
    taken: set[str] = set()

    def create(registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
        if name in taken:
            return decision._failed("taken once")
        taken.add(name)
        return original(registry, request, profile, name, now_us)

    return create


def secret_remembered(original: Any) -> Any:
    """What was read of a profile first counts for ever."""
    known: dict[str, Any] = {}
    return lambda registry, key: known.setdefault(key, original(registry, key))


def repeated_words(original: Any) -> Any:
    words: list[str] = []

    def new_word(self: Any, length: int = 20) -> Any:
        words.append(original(self, length))
        return words[(len(words) - 1) % 50]

    return new_word


def every_fiftieth_lost(original: Any) -> Any:
    made: list[str] = []

    def create(registry: Any, *more: Any) -> Any:
        decided = original(registry, *more)
        made.append("one")
        if len(made) % 50 == 0 and decided.device is not None:
            devices.delete_device(registry, decided.device)
        return decided

    return create


MUTANTS = (
    # S01
    mutant(
        "devices land in the default profile",
        "S01 S05 S06 S09",
        (devices, "create_device", instead(in_default_profile)),
        spares="S07 S10",
    ),
    mutant(
        "tokens have 19 characters",
        "S01 S03",
        (Registry, "new_word", instead(lambda original, self: original(self, 19))),
        spares="S10 S16",
    ),
    mutant("tokens have a dash", "S01 S05", (Registry, "new_word", then(lambda word: f"{word[:19]}-")), spares="S10"),
    mutant(
        "another token is told than is stored",
        "S01 S03 S16 S38",
        (answers, "_value", instead(with_token_of_another)),
        spares="S10 S19",
    ),
    mutant(
        "a device is told of and never made",
        "S01 S02 S03 S05",
        (decision, "create", instead(created_then_gone)),
        spares="S10 S38",
    ),
    mutant(
        "nothing comes of a request that brings something",
        "S01 S38",
        *of_each("decide", giving(decision._failed("no"))),
        spares="S33",
    ),
    # S02
    mutant(
        "provisionState is not written",
        "S02 S38 S39 S86",
        (attributes, "put_attributes", giving(None)),
        spares="S01 S41",
    ),
    mutant(
        "provisionState is the client's",
        "S02 S38 S39",
        (attributes, "put_attributes", in_scope(Scope.CLIENT)),
        spares="S01",
    ),
    mutant(
        "provisionState is shared", "S02 S38 S39", (attributes, "put_attributes", in_scope(Scope.SHARED)), spares="S01"
    ),
    mutant("another provisionState", "S02 S38", (decision, "PROVISIONED", being("yes")), spares="S01"),
    # S03
    mutant(
        "a token does not work over HTTP", "S03", (device_calls, "credentials_by_id", giving(None)), spares="S01 S16"
    ),
    mutant(
        "a token does not work over MQTT", "S03 S16 S21 S22", (logins, "credentials_by_id", giving(None)), spares="S01"
    ),
    mutant(
        "a token does not work over CoAP", "S03", (coap_transport, "credentials_by_id", giving(None)), spares="S01 S16"
    ),
    mutant(
        "telemetry over MQTT is acknowledged and lost",
        "S03",
        (device_messages, "post_telemetry", giving(None)),
        spares="S85",
    ),
    mutant(
        "telemetry over HTTP is acknowledged and lost",
        "S03",
        (said, "post_telemetry", giving(None)),
        spares="S103",
    ),
    mutant(
        "telemetry over CoAP is acknowledged and lost",
        "S03",
        (device_requests, "post_telemetry", giving(None)),
        spares="S99",
    ),
    mutant(
        "a name that exists gets its token again", "S04 S49 S63 S69 S71", *deciding(gives_again), spares="S01 S12 S18"
    ),
    mutant("asking again changes the token", "S04", *deciding(token_lost_by_asking), spares="S01 S69"),
    # S05, S06, S07, S08, S09
    mutant("devices need a name", "S05 S06 S09 S99", (decision, "create", instead(needs_a_name)), spares="S01"),
    mutant(
        "generated names are short", "S05", (devices, "create_device", instead(short_generated_names)), spares="S06 S09"
    ),
    mutant("those without a name share one", "S06", (decision, "create", instead(one_name_for_all)), spares="S05 S09"),
    mutant("names keep their blanks", "S07 S08", (decision, "JAVA_WHITE", being("\0")), spares="S01 S09"),
    mutant(
        "the key is looked at before the name", "S08", *of_each("decide", instead(key_before_name)), spares="S07 S10"
    ),
    mutant(
        "an empty name is an error", "S09", unusable_if(lambda document: document.get("deviceName") == ""), spares="S05"
    ),
    # S10 to S15
    mutant("an unknown key is FAILURE", "S10 S94", unknown_for("no device profile"), spares="S11"),
    mutant("a wrong secret is FAILURE", "S11 S12 S13 S69 S71 S83", unknown_for("is not that of"), spares="S10"),
    mutant("an empty key or secret is FAILURE", "S14", unknown_for("is empty"), spares="S10"),
    mutant("a disabled strategy is FAILURE", "S15 S106", unknown_for("disabled"), spares="S10"),
    mutant("a wrong secret makes the device all the same", "S11", *deciding(created_all_the_same), spares="S10 S12"),
    mutant("any secret will do", "S11 S12 S13 S69 S71", *deciding(any_secret), spares="S10"),
    mutant("the first letter of a secret will do", "S13", *deciding(first_letter_of_secret), spares="S11 S12"),
    mutant("the name is looked at before the secret", "S12 S69 S71", *deciding(name_before_secret), spares="S04 S11"),
    mutant(
        "an empty key is an error",
        "S14",
        unusable_if(lambda document: document.get("provisionDeviceKey") == ""),
        spares="S10",
    ),
    mutant(
        "an empty secret is an error",
        "S14",
        unusable_if(lambda document: document.get("provisionDeviceSecret") == ""),
        spares="S10",
    ),
    mutant("a disabled strategy makes devices", "S15 S106", *deciding(as_if_enabled), spares="S01"),
    # S30, S31
    mutant(
        "unknown members are errors",
        "S30",
        unusable_if(lambda document: not document.keys() <= KNOWN),
        spares="S01 S29",
    ),
    mutant("nothing but JSON is taken for it", "S30", (lenient_json, "_read", being(strictly)), spares="S01 S31"),
    mutant(
        "a number is no name",
        "S31",
        unusable_if(lambda document: isinstance(document.get("deviceName"), JsonNumber)),
        spares="S01",
    ),
    mutant(
        "a number has a fraction as a name",
        "S31",
        (json_request, "_text", instead(with_fraction)),
        spares="S01",
    ),
    # S47, S48
    mutant(
        "names that were never provisioned are free",
        "S47",
        (devices, "device_named", instead(overlooked_in_disabled_profiles)),
        spares="S04 S43",
    ),
    mutant("tokens are made of names", "S48", (devices, "create_device", instead(token_of_name)), spares="S01 S16"),
    mutant("a name counts once for ever", "S48", (decision, "create", names_for_once), spares="S01 S04"),
    mutant("devices remain", "S48 S85", (rest_devices, "delete_device", giving(None)), spares="S01", silence=True),
    # S49, S50
    mutant(
        "tokens come again after a while",
        "S50",
        (Registry, "new_word", repeated_words),
        (devices, "check_free", giving(None)),
        spares="S49",
    ),
    mutant("of many devices some are lost", "S50", (decision, "create", every_fiftieth_lost), spares="S49"),
    # S96, S106
    mutant("names may be long", "S96", (field_rules, "check_text", instead(any_length)), spares="S84"),
    mutant("names may hold markup", "S96 S84", (field_rules, "MARKUP", being(re.compile("(?!)"))), spares="S01"),
    mutant("a profile is read once", "S106", (profiles, "profile_by_key", secret_remembered), spares="S15"),
)
