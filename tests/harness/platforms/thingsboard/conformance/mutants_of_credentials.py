"""Mistakes in what devices bring with their requests, and in listed devices (S16 to S27, S29, S38 to S46, S86, S97)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.mqtt import logins
from fleetrig.reference_server.platforms.thingsboard.provisioning import answers, decision, json_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, Status
from fleetrig.reference_server.platforms.thingsboard.rest import attributes as rest_attributes
from fleetrig.reference_server.platforms.thingsboard.rest import devices as rest_devices
from fleetrig.reference_server.platforms.thingsboard.state import attributes, credential_forms, devices
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    FormedCredentials,
    formed,
    sha3,
)
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken, bad_credentials
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import Credentials, CredentialsType, Device, Scope
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.harness.conformance.code_changes import always, being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import deciding_on_listed, mutant, with_traits

TOKEN, BASIC = CredentialsType.ACCESS_TOKEN, CredentialsType.MQTT_BASIC
X509, LWM2M = CredentialsType.X509_CERTIFICATE, CredentialsType.LWM2M_CREDENTIALS
STATE = attributes.PROVISION_STATE


# -- what a request brings


def own(change: Any) -> Any:
    """`change(original, request)` in place of the credentials that a request brings."""
    return (decision, "own_credentials", instead(change))


def tokens_in_lower_case(original: Any, request: Any) -> Any:
    return original(replace(request, token=request.token.lower()))


def untyped_dropped(original: Any, document: Any, traits: Any) -> Any:
    request = original(document, traits)
    return request if "credentialsType" in document else replace(request, token="")


def password_alone(original: Any, request: Any) -> Any:
    return original(replace(request, password="") if not request.username else request)


def basic_needs_values(original: Any, request: Any) -> Any:
    if request.credentials_type is BASIC and not request.brings_credentials:
        raise bad_credentials("no values")
    return original(request)


def certificates_only(original: Any, request: Any) -> Any:
    if request.credentials_type is X509 and "BEGIN CERTIFICATE" not in request.certificate:
        raise bad_credentials("no certificate")
    return original(request)


def user_name_for_token(original: Any, request: Any) -> Any:
    is_token = request.credentials_type is TOKEN and not request.token
    return original(replace(request, token=request.username) if is_token else request)


def lwm2m_needs_values(original: Any, request: Any) -> Any:
    if request.credentials_type is LWM2M and not request.brings_credentials:
        raise bad_credentials("no values")
    return original(request)


def lwm2m_token(original: Any, request: Any) -> Any:
    return original(replace(request, credentials_type=TOKEN) if request.credentials_type is LWM2M else request)


def device_of_taken_token_remains(original: Any, registry: Any, profile: Any, new: Any, now_us: int) -> Any:
    try:
        return original(registry, profile, new, now_us)
    except RuleBroken:
        if new.credentials is not None:
            original(registry, profile, replace(new, credentials=None), now_us)
        raise


def refused_names_for_ever(original: Any) -> Any:
    refused: set[str] = set()

    def create(registry: Any, request: Any, profile: Any, name: str, now_us: int) -> Any:
        decided = original(registry, request, profile, name, now_us)
        if decided.status is Status.FAILURE:
            refused.add(name)
        return decision._failed("refused once") if name in refused else decided

    return create


def id_of_armoured(original: Any, kind: Any, credentials_id: Any, value: Any) -> Any:
    made = original(kind, credentials_id, value)
    return replace(made, credentials_id=sha3(value)) if kind is X509 else made


def sha_256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- what is told of it


def told(kind: CredentialsType, change: Any) -> Any:
    """Another value in a SUCCESS of this kind."""

    def mutated(original: Any, credentials: Any) -> Any:
        value = original(credentials)
        return change(value) if credentials.type is kind else value

    return (answers, "_value", instead(mutated))


def without_password(value: Any) -> Any:
    return {**value, "password": ""}


def as_asked(value: Any) -> Any:
    return {"username" if name == "userName" else name: one for name, one in value.items()}


def nulls(value: Any) -> Any:
    return {name: one or None for name, one in value.items()}


def as_text(value: Any) -> Any:
    return json.dumps(value)


# -- who logs in with it


def passes_over(member: str) -> Any:
    return instead(lambda original, *more: "" if (why := original(*more)).startswith(member) else why)


def user_name_counts(client_id: str | None, user_name: str | None) -> str:
    return user_name or sha3(client_id or "")


def no_user_name_alone(original: Any, registry: Any, connect: Any) -> Any:
    found = original(registry, connect)
    return "no" if isinstance(found, Credentials) and found.type is BASIC else found


def no_client_id_alone(original: Any, registry: Any, connect: Any) -> Any:
    return original(registry, connect) if connect.user_name else "no"


# -- listed devices


def new_token(registry: Any, device: Device) -> Credentials:
    stored = devices.credentials_of(registry, device.id)
    assert stored is not None
    return devices.save_credentials(registry, stored, FormedCredentials(TOKEN, registry.new_word()))


def listed_get_new_tokens(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is not Status.SUCCESS:
        return decided
    return replace(decided, credentials=new_token(registry, decided.device))


def token_lost_by_asking(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.FAILURE and decided.device is not None:
        new_token(registry, decided.device)
    return decided


def state_lost_by_asking(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.FAILURE and decided.device is not None:
        attributes.delete_attributes(registry, decided.device.id, Scope.SERVER, [STATE])
    return decided


def refused(*_: Any) -> Decision:
    return decision._failed("not today")


def odd_state_counts_as_none(original: Any, registry: Any, request: Any, profile: Any, device: Any, *more: Any) -> Any:
    found = None if device is None else attributes.attribute(registry, device.id, Scope.SERVER, STATE)
    if found is not None and found.value != attributes.PROVISIONED:
        attributes.delete_attributes(registry, device.id, Scope.SERVER, [STATE])
    return original(registry, request, profile, device, *more)


def odd_state_overwritten(original: Any, registry: Any, request: Any, profile: Any, device: Any, *more: Any) -> Any:
    decided = original(registry, request, profile, device, *more)
    if decided.status is Status.FAILURE and device is not None:
        attributes.put_attributes(registry, device.id, Scope.SERVER, {STATE: attributes.PROVISIONED}, more[-1])
    return decided


def strangers_made(original: Any, registry: Any, request: Any, profile: Any, device: Any, name: str, now: int) -> Any:
    if device is None and name:
        return decision.create(registry, request, profile, name, now)
    return original(registry, request, profile, device, name, now)


def strangers_made_and_refused(
    original: Any, registry: Any, request: Any, profile: Any, device: Any, name: str, now_us: int
) -> Any:
    if device is None and name:
        decision.create(registry, request, profile, name, now_us)
    return original(registry, request, profile, device, name, now_us)


def strangers_not_found(original: Any, registry: Any, request: Any, profile: Any, device: Any, *more: Any) -> Any:
    decided = original(registry, request, profile, device, *more)
    return replace(decided, status=Status.NOT_FOUND) if device is None else decided


def nameless_not_found(original: Any, registry: Any, request: Any, *more: Any) -> Any:
    decided = original(registry, request, *more)
    return decided if request.device_name else replace(decided, status=Status.NOT_FOUND)


def any_profile(original: Any, registry: Any, request: Any, profile: Any, device: Any, *more: Any) -> Any:
    moved = None if device is None else replace(device, profile_id=profile.id)
    return original(registry, request, profile, moved, *more)


def token_of_request_taken(original: Any, registry: Any, request: Any, *more: Any) -> Any:
    decided = original(registry, request, *more)
    if decided.status is not Status.SUCCESS or not request.token:
        return decided
    stored = decided.credentials
    saved = devices.save_credentials(registry, stored, formed(TOKEN, request.token, None))
    return replace(decided, credentials=saved)


def told_before_it_changes(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.SUCCESS and decided.credentials.type is TOKEN:
        new_token(registry, decided.device)
    return decided


def all_listed_hold_tokens(original: Any, *more: Any) -> Any:
    decided = original(*more)
    if decided.credentials is None:
        return decided
    return replace(decided, credentials=replace(decided.credentials, type=TOKEN))


MUTANTS = (
    mutant(
        "own credentials are ignored",
        "S16 S17 S19 S25 S97",
        (decision, "own_credentials", giving(None)),
        spares="S01 S24",
    ),
    mutant("tokens lose their capitals", "S16", own(tokens_in_lower_case), spares="S17 S19"),
    mutant(
        "a token without a type is dropped",
        "S17 S18",
        (json_request, "request_of", instead(untyped_dropped)),
        spares="S16 S45",
    ),
    mutant("a token may be taken twice", "S18", (devices, "check_free", giving(None)), spares="S16 S17"),
    mutant(
        "the device of a taken token remains",
        "S18",
        (devices, "create_device", instead(device_of_taken_token_remains)),
        spares="S16 S96",
    ),
    mutant(
        "who was refused once is refused for ever",
        "S18",
        (decision, "create", refused_names_for_ever),
        spares="S16 S48",
    ),
    mutant("a password is not told", "S19 S46", told(BASIC, without_password), spares="S16 S21"),
    mutant("the user name is told as it was asked", "S19 S21 S22 S46", told(BASIC, as_asked), spares="S16"),
    mutant("MQTT_BASIC is told as text", "S19 S21 S22 S46", told(BASIC, as_text), spares="S16 S25"),
    mutant("passwords are not compared", "S20", (logins, "_mismatch", passes_over("password")), spares="S21 S22"),
    mutant(
        "client ids are not compared",
        "S20",
        (credential_forms, "basic_id", being(user_name_counts)),
        (logins, "basic_id", being(user_name_counts)),
        (logins, "_mismatch", passes_over("clientId")),
        spares="S21 S22",
    ),
    mutant("what was not brought is null", "S21 S22", told(BASIC, nulls), spares="S19 S46"),
    mutant(
        "a user name alone does not log in",
        "S21",
        (logins, "_by_user_name", instead(no_user_name_alone)),
        spares="S20 S22",
    ),
    mutant(
        "a client id alone does not log in", "S22", (logins, "_by_basic", instead(no_client_id_alone)), spares="S20 S21"
    ),
    mutant("a password without a user name is dropped", "S23", own(password_alone), spares="S19 S22"),
    mutant("MQTT_BASIC needs values", "S24", own(basic_needs_values), spares="S23 S97"),
    mutant("certificates keep their armour", "S25", (credential_forms, "ARMOUR", being(())), spares="S26"),
    mutant(
        "certificates keep their line ends",
        "S25",
        (credential_forms, "ARMOUR", being(credential_forms.ARMOUR[:2])),
        spares="S26",
    ),
    mutant(
        "a certificate is found by its SHA-256", "S25 S26", (credential_forms, "sha3", being(sha_256)), spares="S16 S21"
    ),
    mutant("a certificate is found by its armour", "S25", (decision, "formed", instead(id_of_armoured)), spares="S26"),
    mutant("what looks like no certificate is refused", "S26", own(certificates_only), spares="S25"),
    mutant("certificates are not told", "S25 S26 S46", told(X509, lambda _: ""), spares="S19"),
    mutant("a user name stands for a token", "S27", own(user_name_for_token), spares="S23"),
    mutant("nobody becomes a gateway", "S29", with_traits(has_gateway_flag=False), spares="S01 S103"),
    mutant(
        "a gateway is noted and not let in", "S29", (Device, "is_gateway", always(False)), spares="S103", silence=True
    ),
    mutant(
        "a gateway is let in and not noted",
        "S29",
        (rest_devices, "device_form", then(lambda document: {**document, "additionalInfo": None})),
        spares="S01",
    ),
    mutant("LWM2M_CREDENTIALS needs values", "S97", own(lwm2m_needs_values), spares="S24"),
    mutant("LWM2M_CREDENTIALS takes a token", "S97", own(lwm2m_token), spares="S16"),
    # listed devices
    mutant(
        "listed devices get new tokens", "S38 S41 S45 S46", *deciding_on_listed(listed_get_new_tokens), spares="S01 S43"
    ),
    mutant("listed devices are refused", "S38 S39 S41 S45 S46 S86", *deciding_on_listed(refused), spares="S42 S43"),
    mutant("listed devices ask for ever", "S39 S86", with_traits(answers_once=False), spares="S38 S42"),
    mutant(
        "asking again changes the token of the list", "S39", *deciding_on_listed(token_lost_by_asking), spares="S38"
    ),
    mutant(
        "asking again deletes provisionState", "S39 S42 S86", *deciding_on_listed(state_lost_by_asking), spares="S38"
    ),
    mutant(
        "4.2 answers once",
        "S40",
        with_traits(Profile.PREVIOUS, answers_once=True),
        spares="S38",
        settings=Settings(profile=Profile.PREVIOUS),
    ),
    mutant("a reset is told and not done", "S41", (rest_attributes, "delete_attributes", giving([])), spares="S38 S39"),
    mutant(
        "an odd provisionState counts as none", "S42 S83", *deciding_on_listed(odd_state_counts_as_none), spares="S39"
    ),
    mutant("an odd provisionState is overwritten", "S42", *deciding_on_listed(odd_state_overwritten), spares="S39"),
    mutant("who is not listed is made", "S43", *deciding_on_listed(strangers_made), spares="S38 S44"),
    mutant(
        "who is not listed is made and refused",
        "S43",
        *deciding_on_listed(strangers_made_and_refused),
        spares="S38 S44",
    ),
    mutant("who is not listed is NOT_FOUND", "S43", *deciding_on_listed(strangers_not_found), spares="S38 S44"),
    mutant(
        "without a name a listed device is NOT_FOUND", "S43", *deciding_on_listed(nameless_not_found), spares="S38 S44"
    ),
    mutant(
        "a listed device's token is told and changed",
        "S38 S39 S45",
        *deciding_on_listed(told_before_it_changes),
        spares="S43 S44",
    ),
    mutant("a list counts for all profiles", "S44", *deciding_on_listed(any_profile), spares="S38 S43"),
    mutant("listed devices may bring a token", "S45", *deciding_on_listed(token_of_request_taken), spares="S38"),
    mutant("listed devices hold nothing but tokens", "S46", *deciding_on_listed(all_listed_hold_tokens), spares="S38"),
)
