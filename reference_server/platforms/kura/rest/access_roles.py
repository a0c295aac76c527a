"""Roles of users: `/v1/{scope}/accessinfos/{access}/roles` (spec 5.5). They are kept and give nothing: there are none.

A role that a user has goes by the id of the role itself; in Kapua it has one of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.access_infos import wanted_access_info
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import needed_text
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    created,
    date,
    done,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.errors import duplicate, missing
from fleetrig.reference_server.platforms.kura.state.permissions import save_access_info
from fleetrig.reference_server.platforms.kura.state.records import AccessInfo

KIND: Final = "accessRole"


def list_all(call: Call) -> Reply:
    return listed(KIND, _all_of(wanted_access_info(call)), _shown, paging_of_query(call))


def query(call: Call) -> Reply:
    return listed(KIND, _all_of(wanted_access_info(call)), _shown, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(_all_of(wanted_access_info(call)), _shown, paging_of_body(call))


def create(call: Call) -> Reply:
    access, role_id = wanted_access_info(call), needed_text(call.document, "roleId")
    if role_id in access.role_ids:
        raise duplicate(KIND, role_id)
    _keep(call, access, (*access.role_ids, role_id))
    return created(_document(access, role_id), "role given")


def read(call: Call) -> Reply:
    access = wanted_access_info(call)
    return Reply(_document(access, _wanted(call, access)))


def delete(call: Call) -> Reply:
    access = wanted_access_info(call)
    role_id = _wanted(call, access)
    _keep(call, access, tuple(one for one in access.role_ids if one != role_id))
    return done("role taken back")


def _wanted(call: Call, access: AccessInfo) -> str:
    """Raises Refused."""
    role_id = call.values["role"]
    if role_id not in access.role_ids:
        raise missing(KIND, role_id)
    return role_id


def _keep(call: Call, access: AccessInfo, role_ids: tuple[str, ...]) -> None:
    changed = replace(access, role_ids=role_ids, modified_us=call.now_us, modified_by=call.operator.id)
    save_access_info(call.registry, replace(changed, optlock=access.optlock + 1))


def _all_of(access: AccessInfo) -> list[dict[str, Any]]:
    return [_document(access, role_id) for role_id in access.role_ids]


def _document(access: AccessInfo, role_id: str) -> dict[str, Any]:
    return {
        "type": KIND,
        "id": role_id,
        "scopeId": access.scope_id,
        "createdOn": date(access.created_us),
        "createdBy": access.created_by,
        "accessInfoId": access.id,
        "roleId": role_id,
    }


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return document
