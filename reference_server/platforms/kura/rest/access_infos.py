"""What users may do: `/v1/{scope}/accessinfos` (spec 5.5). Roles are kept and give nothing: there are none here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import flag, inner, needed_text, objects, text, texts
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    created,
    date,
    done,
    entity,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.errors import duplicate, missing
from fleetrig.reference_server.platforms.kura.state.permissions import (
    access_infos_of,
    access_infos_within,
    add_permission,
    check_may_grant,
    delete_access_info,
    grant,
    needed_access_info,
    save_access_info,
)
from fleetrig.reference_server.platforms.kura.state.records import AccessInfo, AccessPermission, Permission
from fleetrig.reference_server.platforms.kura.state.users import needed_user

ANY: Final = "*"


def access_info_document(access: AccessInfo) -> dict[str, Any]:
    return entity("accessInfo", access, {"userId": access.user_id})


def permission_document(access: AccessInfo, entry: AccessPermission) -> dict[str, Any]:
    return {
        "type": "accessPermission",
        "id": entry.id,
        "scopeId": access.scope_id,
        "createdOn": date(entry.created_us),
        "createdBy": entry.created_by,
        "accessInfoId": access.id,
        "permission": _shown(entry.permission),
    }


def list_all(call: Call) -> Reply:
    user_id = call.parameter("userId")
    found = access_infos_of(call.registry, user_id) if user_id else access_infos_within(call.registry, call.scope.id)
    own = [one for one in found if one.scope_id == call.scope.id]
    return listed("accessInfo", own, access_info_document, paging_of_query(call))


def query(call: Call) -> Reply:
    found = access_infos_within(call.registry, call.scope.id)
    return listed("accessInfo", found, access_info_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(access_infos_within(call.registry, call.scope.id), access_info_document, paging_of_body(call))


def create(call: Call) -> Reply:
    asked = call.document
    user = needed_user(call.registry, call.scope.id, needed_text(asked, "userId"))
    if access_infos_of(call.registry, user.id):
        raise duplicate("accessInfo", user.name)
    permissions = tuple(_permission(one) for one in objects(asked, "permissions"))
    for one in permissions:
        check_may_grant(call.registry, call.operator, one)
    made = grant(call.registry, user, permissions, call.now_us, call.operator.id, texts(asked, "roleIds"))
    return created(access_info_document(made), f"user {user.name} may do more")


def read(call: Call) -> Reply:
    return Reply(access_info_document(wanted_access_info(call)))


def delete(call: Call) -> Reply:
    delete_access_info(call.registry, wanted_access_info(call))
    return done("access info deleted")


def list_permissions(call: Call) -> Reply:
    access = wanted_access_info(call)
    shown = [permission_document(access, one) for one in access.permissions]
    return listed("accessPermission", shown, lambda one: one, paging_of_query(call))


def create_permission(call: Call) -> Reply:
    access, asked = wanted_access_info(call), call.document
    permission = _permission(inner(asked, "permission"))
    check_may_grant(call.registry, call.operator, permission)
    entry = add_permission(call.registry, access, permission, call.now_us, call.operator.id)
    return created(permission_document(access, entry), "permission added")


def delete_permission(call: Call) -> Reply:
    access, entry_id = wanted_access_info(call), call.values["permission"]
    left = tuple(one for one in access.permissions if one.id != entry_id)
    if len(left) == len(access.permissions):
        raise missing("accessPermission", entry_id)
    save_access_info(call.registry, replace(access, permissions=left, optlock=access.optlock + 1))
    return done("permission taken back")


def wanted_access_info(call: Call) -> AccessInfo:
    """That of the path. Raises Refused."""
    return needed_access_info(call.registry, call.scope.id, call.values["access"])


def _permission(said: Mapping[str, Any]) -> Permission:
    """`*`, or nothing, stands for any."""
    parts = [text(said, name) for name in ("domain", "action", "targetScopeId", "groupId")]
    domain, action, target, group = (None if part in (None, "", ANY) else part for part in parts)
    return Permission(domain, action, target, group, flag(said, "forwardable"))


def _shown(permission: Permission) -> dict[str, Any]:
    shown = {
        "domain": permission.domain,
        "action": permission.action,
        "targetScopeId": permission.target_scope_id,
        "groupId": permission.group_id,
        "forwardable": permission.forwardable,
    }
    return {name: value for name, value in shown.items() if value is not None}
