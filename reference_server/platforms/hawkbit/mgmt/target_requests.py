"""The body of a target's creation and change: reading it, its rules, and what of it is stored (§1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import URI_LACKS
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import boolean, integer, text
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    integrity,
    not_found,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_TYPE
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_NAME: Final = 128
GREATEST_GROUP: Final = 256
NO_TYPE: Final = -1
ID: Final = TextRule("controllerId", 1, 256)
TEXTS: Final = (
    TextRule("name", 1, GREATEST_NAME),
    TextRule("description", 0, 512),
    TextRule("securityToken", 1, 128),
    TextRule("address", 0, 512, has_markup_check=False),
)
STORED_AS: Final = {"controllerId": "controller_id", "securityToken": "token", "targetType": "type_id"}


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """What a body says, read with the types of its fields; `texts` under their names on the wire."""

    texts: dict[str, str | None]
    type_id: int | None
    request_attributes: bool | None


def read_request(body: dict[str, Any]) -> TargetRequest:
    """Raises not readable for a field of a wrong type, also for one that the request has no use for."""
    names = ("controllerId", "name", "description", "securityToken", "address", "group")
    return TargetRequest(
        {name: text(body, name) for name in names}, integer(body, "targetType"), boolean(body, "requestAttributes")
    )


def drafts_of_new(call: Call, requests: list[TargetRequest], new_tokens: list[str]) -> list[dict[str, Any]]:
    """The fields of new targets, defaults filled in. `""` for name or token counts as absent (S10).

    Raises 404 for an unknown type, 400 for a broken rule in any of them.
    """
    drafts = [_draft(call, request, token) for request, token in zip(requests, new_tokens, strict=True)]
    broken = [sentence for number, draft in enumerate(drafts) for sentence in _broken(number, draft)]
    if broken:
        raise violations(broken)
    return drafts


def stored(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft as the fields of a `Target`. Raises 400 for what cannot be stored."""
    trimmed = rules.as_stored((ID, *TEXTS), draft, *rules.broken_whitespace(rules.trimmed(draft["controllerId"])))
    if len(trimmed["group"] or "") > GREATEST_GROUP:
        raise integrity(f"group: at most {GREATEST_GROUP} characters")
    return {STORED_AS.get(name, name): value for name, value in trimmed.items()}


def _check_address(call: Call, request: TargetRequest) -> None:
    """Raises 400 for what is no URI, where that is looked at."""
    address = rules.trimmed(request.texts["address"])
    if call.traits.addresses_are_uris and address and URI_LACKS.search(address):
        message = f"The given address {address} violates the RFC-2396 specification"
        raise HawkbitError(400, "repo.invalidTargetAddress", REPOSITORY + "InvalidTargetAddressException", message)


def changes(call: Call, request: TargetRequest) -> dict[str, Any]:
    """The fields of a `Target` that change. Raises 404 for an unknown type, 400 for a broken rule."""
    _check_address(call, request)
    if request.type_id != NO_TYPE:
        _check_type(call, request.type_id)
    given = {rule.name: request.texts[rule.name] for rule in TEXTS}
    broken = rules.broken_texts("update.update", TEXTS, given)
    if broken:
        raise violations(broken)
    kept = {STORED_AS.get(name, name): value for name, value in rules.as_stored(TEXTS, given).items()}
    changed = {name: value for name, value in kept.items() if value is not None}
    if request.type_id is not None:
        changed["type_id"] = None if request.type_id == NO_TYPE else request.type_id
    return changed | ({"request_attributes": True} if request.request_attributes else {})


def _draft(call: Call, request: TargetRequest, new_token: str) -> dict[str, Any]:
    _check_address(call, request)
    _check_type(call, request.type_id)
    texts = request.texts
    if call.traits.blanks_are_nothing:
        texts = {name: rules.trimmed(text) for name, text in texts.items()} | {"controllerId": texts["controllerId"]}
    controller_id = texts["controllerId"]
    return {
        **texts,
        "name": texts["name"] or (None if controller_id is None else controller_id[:GREATEST_NAME]),
        "securityToken": texts["securityToken"] or new_token,
        "group": texts["group"] if call.traits.has_target_groups else None,
        "targetType": request.type_id,
    }


def _broken(number: int, draft: dict[str, Any]) -> list[str]:
    path = f"create.create[{number}]"
    return [
        *rules.missing(f"{path}.controllerId", draft["controllerId"]),
        *rules.broken_texts(path, (ID, *TEXTS), draft),
        *rules.broken_markup(f"{path}.group", draft["group"]),
    ]


def _check_type(call: Call, type_id: int | None) -> None:
    if type_id is not None and call.repo.store.get(TARGET_TYPE, call.tenant, type_id) is None:
        raise not_found("TargetType", type_id)
