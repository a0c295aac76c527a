"""The tenant's configuration and who is asking (§1.6, §1.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.config_values import checked_value, default_set_type_id
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_object
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import (
    GATEWAY_KEY,
    config_key,
    known_keys,
    server_default,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare, crash, forbidden, not_found, not_readable
from fleetrig.reference_server.platforms.hawkbit.state.records import TENANT
from fleetrig.reference_server.platforms.hawkbit.state.software import need_set_type
from fleetrig.reference_server.platforms.hawkbit.state.tenants import open_tenant

DEFAULT_SET_TYPE: Final = "default.ds.type"
NO_GATEWAY_KEY: Final = "Can't read gateway security token! READ_GATEWAY_SECURITY_TOKEN is required!"


def read_user(call: Call) -> Reply:
    """The rights as given, in order of their names; what they imply is not told."""
    account = next(account for account in call.settings.accounts if account.user == call.user)
    return Reply(body={"tenant": call.tenant, "username": call.user, "permissions": sorted(set(account.rights))})


def read_configs(call: Call) -> Reply:
    """The keys that the caller may see, among them always the default type. Links are an array here (S126)."""
    names = [name for name in known_keys(call.traits) if name != GATEWAY_KEY or call.has("READ_GATEWAY_SECURITY_TOKEN")]
    if not call.has("READ_TENANT_CONFIGURATION"):
        names = []
    _need_default_type(call)
    return Reply(body={name: _listed(call, name) for name in (*names, DEFAULT_SET_TYPE)})


def read_config(call: Call, name: str) -> Reply:
    if name == DEFAULT_SET_TYPE:
        _need_default_type(call)
    else:
        call.need("READ_TENANT_CONFIGURATION")
    if name == GATEWAY_KEY and not call.has("READ_GATEWAY_SECURITY_TOKEN"):
        raise forbidden("READ_GATEWAY_SECURITY_TOKEN", call.user, message=NO_GATEWAY_KEY)
    return Reply(body=_document(call, name))


def _need_default_type(call: Call) -> None:
    """Raises 403 for who may read neither the configuration, nor sets, nor targets."""
    if not any(map(call.has, ("READ_DISTRIBUTION_SET", "READ_TARGET"))):
        call.need("READ_TENANT_CONFIGURATION")


def update_config(call: Call, name: str) -> Reply:
    """204; up to 0.9 200 with the value. The real server breaks on a body without `value`."""
    body = as_object(call.json)
    if "value" not in body:
        raise crash(f"{name}: a body without value")
    if body["value"] is None:
        raise not_readable(f"{name}: null is no value; DELETE goes back to the default")
    _put(call, {name: body["value"]})
    if call.traits.config_change_answers:
        return Reply(200, _document(call, name), changed=f"configuration {name} changed")
    return Reply(204, changed=f"configuration {name} changed")


def update_configs(call: Call) -> Reply:
    """All or nothing. A default type of null counts as not given."""
    given = dict(as_object(call.json))
    if given.get(DEFAULT_SET_TYPE, 0) is None:
        del given[DEFAULT_SET_TYPE]
    _put(call, given)
    names = ", ".join(given)
    if call.traits.config_change_answers:
        in_order = sorted(given, key=DEFAULT_SET_TYPE.__eq__)
        return Reply(200, [_listed(call, name) for name in in_order], changed=f"configuration {names} changed")
    return Reply(204, changed=f"configuration {names} changed")


def delete_config(call: Call, name: str) -> Reply:
    """Back to the default. An unknown key is no error here: nothing is deleted."""
    if name == DEFAULT_SET_TYPE and call.traits.config_change_answers:
        raise bare(400, f"{name} cannot be deleted")
    if name == DEFAULT_SET_TYPE:
        raise not_found("Configuration key not found", name)
    call.need("DELETE_TENANT_CONFIGURATION")
    record = open_tenant(call.repo, call.tenant, call.now_us)
    left = {key: entry for key, entry in record.values.items() if key != name}
    call.repo.store.put(TENANT, call.tenant, replace(record, values=left))
    return Reply(call.done_status, changed=f"configuration {name} back to its default")


def _put(call: Call, given: dict[str, Any]) -> None:
    record = open_tenant(call.repo, call.tenant, call.now_us)
    values = dict(record.values)
    for name, value in given.items():
        if name == DEFAULT_SET_TYPE:
            record = replace(record, default_set_type_id=need_set_type(call, default_set_type_id(value)).id)
            continue
        checked = checked_value(call.repo, config_key(call.traits, name), value)
        if name == GATEWAY_KEY:
            call.repo.learn("gateway-token", checked)
        before = values.get(name)
        values[name] = {
            "value": checked,
            "created_by": before["created_by"] if before else call.user,
            "created_at_ms": before["created_at_ms"] if before else call.now_ms,
            "modified_by": call.user,
            "modified_at_ms": call.now_ms,
        }
    call.repo.store.put(TENANT, call.tenant, replace(record, values=values))


def _listed(call: Call, name: str) -> dict[str, Any]:
    """With an array of links."""
    document = _document(call, name)
    links = document.pop("_links")
    return {**document, "links": [{"rel": rel, **link} for rel, link in links.items()]}


def _document(call: Call, name: str) -> dict[str, Any]:
    links = {"self": {"href": f"{call.base}/rest/v1/system/configs/{name}"}}
    record = open_tenant(call.repo, call.tenant, call.now_us)
    if name == DEFAULT_SET_TYPE:
        return {"value": record.default_set_type_id, "global": False, "_links": links}
    key = config_key(call.traits, name)
    entry = record.values.get(name)
    if entry is None:
        return {"value": server_default(call.settings, key), "global": True, "_links": links}
    return {
        "value": entry["value"],
        "global": False,
        "createdBy": entry["created_by"],
        "createdAt": entry["created_at_ms"],
        "lastModifiedBy": entry["modified_by"],
        "lastModifiedAt": entry["modified_at_ms"],
        "_links": links,
    }
