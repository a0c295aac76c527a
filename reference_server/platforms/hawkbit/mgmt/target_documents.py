"""A target as Mgmt shows it (§1.3)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.reference_server.platforms.hawkbit.ddi.intervals import interval_for
from fleetrig.reference_server.platforms.hawkbit.request.call import Call, encoded
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.listing import stored_page
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Fields
from fleetrig.reference_server.platforms.hawkbit.search.sources import Source, Stored
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import Look, target_fields
from fleetrig.reference_server.platforms.hawkbit.state.polling import next_expected_ms
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, TARGET_TYPE, Target

URI_LACKS: Final = re.compile(r'[\s<>"{}|\\^`]')
"""What makes an address no URI at all."""
ACTIONS_PAGE = "/actions?offset=0&limit=50&sort=id%3ADESC"


def target_document(call: Call, target: Target) -> dict[str, Any]:
    """As in lists and in the answer to a creation: the only link is `self`."""
    document: dict[str, Any] = {
        **audit(target),
        "name": target.name,
        "description": target.description,
        "controllerId": target.controller_id,
        "updateStatus": target.update_status,
        "installedAt": target.installed_at_ms,
        "group": target.group if call.traits.has_target_groups else None,
        "address": target.address,
        "ipAddress": _known_host(target.address),
        "securityToken": target.token if call.has("READ_TARGET_SECURITY_TOKEN") else None,
        "requestAttributes": target.request_attributes,
        "targetType": target.type_id,
        "targetTypeName": _type_name(call, target),
        "autoConfirmActive": target.auto_confirm is not None if call.config.confirmation_on else None,
        **_poll_status(call, target),
        "_links": {"self": {"href": target_url(call, target)}},
    }
    if call.traits.new_targets_are_registered:
        document |= {when: document.get(when) or 0 for when in ("lastControllerRequestAt", "installedAt")}
    return {key: value for key, value in document.items() if value is not None}


def full_target_document(call: Call, target: Target) -> dict[str, Any]:
    """As in single answers: with links to everything about the target."""
    document = target_document(call, target)
    document["_links"].update(target_links(call, document, target_url(call, target)))
    return document


def target_links(call: Call, document: dict[str, Any], url: str) -> dict[str, Any]:
    links = {
        "assignedDS": f"{url}/assignedDS",
        "installedDS": f"{url}/installedDS",
        "attributes": f"{url}/attributes",
        "actions": f"{url}/actions" if call.traits.documented_links else url + ACTIONS_PAGE,
        "metadata": f"{url}/metadata",
    }
    if "targetType" in document:
        links["targetType"] = f"{call.base}/rest/v1/targettypes/{document['targetType']}"
    if "autoConfirmActive" in document:
        links["autoConfirm"] = f"{url}/autoConfirm"
    return {rel: {"href": href} for rel, href in links.items()}


ALL_TARGETS: Final = Stored(TARGET, key_fields=frozenset({"id", "controllerid"}))


def numbered_targets(index: str, value: int) -> Stored[Target]:
    """Those whom an index entry names, in order of the numbers of their records."""
    return replace(ALL_TARGETS, of=(index, value), by=lambda target: target.id)


def target_page(
    call: Call, targets: Source[Target] = ALL_TARGETS, *, searched: bool = True, sorts: Fields | None = None
) -> Reply | Steps:
    """A page of these targets, of all by default, sorted and, where there is a search, searched as asked."""
    return stored_page(
        call,
        targets,
        target_fields(call.traits),
        lambda target: target_document(call, target),
        look=Look(call.repo, call.tenant),
        searched=searched,
        sorts=sorts,
    )


def target_url(call: Call, target: Target) -> str:
    return f"{call.base}/rest/v1/targets/{encoded(target.controller_id)}"


def _poll_status(call: Call, target: Target) -> dict[str, Any]:
    last_ms = call.repo.last_poll_ms(call.tenant, target.controller_id)
    if last_ms is None:
        return {}
    next_ms = next_expected_ms(last_ms, interval_for(call, target))
    overdue = call.now_ms > next_ms + call.config.overdue_ms
    status = {"lastRequestAt": last_ms, "nextExpectedRequestAt": next_ms, "overdue": overdue}
    return {"lastControllerRequestAt": last_ms, "pollStatus": status}


def _type_name(call: Call, target: Target) -> str | None:
    if target.type_id is None:
        return None
    target_type = call.repo.store.get(TARGET_TYPE, call.tenant, target.type_id)
    return None if target_type is None else target_type.name


def _known_host(address: str | None) -> str | None:
    """The host of an address that is a URI, unless it is a message queue's or hidden."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
        host = "" if URI_LACKS.search(address) else parts.netloc.rpartition("@")[2]
        host = host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]
    except ValueError:
        return None
    return host if host and host != "***" and parts.scheme != "amqp" else None
