"""What handlers answer, and how it is written: JSON, entities with their common members, lists in pages (spec 5.5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import flag, whole
from fleetrig.reference_server.platforms.kura.rest.predicates import Predicate, predicate_of
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.http import Headers, HttpResponse

R = TypeVar("R")

JSON: Final = "application/json"
CREATED: Final = 201
NO_CONTENT: Final = 204
LIMIT: Final = 50
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. `raw` in place of a document: bytes with their media type."""

    document: Any = None
    status: int = 200
    raw: tuple[str, bytes] | None = None
    device: str = ""
    changed: str = ""
    """What changed in the registry, for the trace."""
    steps: Sequence[str] = ()


class Entity(Protocol):
    """What all records of the REST API have in common."""

    @property
    def id(self) -> str: ...
    @property
    def scope_id(self) -> str: ...
    @property
    def created_us(self) -> int: ...


def done(changed: str, device: str = "") -> Reply:
    """204."""
    return Reply(status=NO_CONTENT, changed=changed, device=device)


def created(document: Any, changed: str, device: str = "") -> Reply:
    """201 with what was made."""
    return Reply(document, CREATED, changed=changed, device=device)


def respond(reply: Reply) -> HttpResponse:
    if reply.raw is not None:
        return HttpResponse(reply.status, (("Content-Type", reply.raw[0]),), reply.raw[1])
    if reply.document is None:
        return HttpResponse(reply.status)
    return json_response(reply.status, reply.document)


def json_response(status: int, document: Any, headers: Headers = ()) -> HttpResponse:
    body = _encoded(document).encode("utf-8", "replace")
    return HttpResponse(status, (*headers, ("Content-Type", JSON)), body)


def date(time_us: int | None) -> str | None:
    """As JSON documents have it."""
    if time_us is None:
        return None
    at = EPOCH + timedelta(milliseconds=time_us // US_PER_MS)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def entity(kind: str, record: Any, members: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the members that all have; those that are None are left out."""
    common = {
        "type": kind,
        "id": record.id,
        "scopeId": record.scope_id,
        "createdOn": date(record.created_us),
        "createdBy": record.created_by or None,
        "modifiedOn": date(record.modified_us),
        "modifiedBy": record.modified_by or None,
        "optlock": record.optlock,
    }
    return {name: value for name, value in (common | dict(members)).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is wanted."""

    limit: int = LIMIT
    offset: int = 0
    is_total_wanted: bool = False
    sort_by: str = ""
    is_descending: bool = False
    predicate: Predicate | None = None


def paging_of_query(call: Call) -> Paging:
    """By parameters of the query. Raises Refused."""
    return Paging(
        call.number("limit", LIMIT, least=1),
        call.number("offset", 0),
        call.flag("askTotalCount"),
        call.parameter("sortParam"),
        call.parameter("sortDir", "ASCENDING").upper() == "DESCENDING",
    )


def paging_of_body(call: Call) -> Paging:
    """By the document of a `_query` or `_count`. Raises Refused."""
    asked = call.optional_document
    limit, offset = whole(asked, "limit"), whole(asked, "offset")
    if (limit is not None and limit < 1) or (offset is not None and offset < 0):
        raise illegal("limit", str(limit), "limit is 1 or more, offset is 0 or more")
    return Paging(limit or LIMIT, offset or 0, flag(asked, "askTotalCount"), predicate=predicate_of(asked))


def listed(kind: str, records: Iterable[R], shown: Callable[[R], dict[str, Any]], paging: Paging) -> Reply:
    """A page of a list. Raises Refused for an attribute that no entry has."""
    found: list[Any] = list(records)
    is_shown = bool(paging.sort_by) or paging.predicate is not None
    if is_shown:
        found = _sorted([one for one in map(shown, found) if paging.predicate is None or paging.predicate(one)], paging)
    page = found[paging.offset : paging.offset + paging.limit]
    items = page if is_shown else [shown(one) for one in page]
    document: dict[str, Any] = {
        "type": f"{kind}ListResult",
        "limitExceeded": len(found) > paging.offset + paging.limit,
        "size": len(items),
        "items": items,
    }
    if paging.is_total_wanted:
        document["totalCount"] = len(found)
    return Reply(document)


def counted(records: Iterable[R], shown: Callable[[R], dict[str, Any]], paging: Paging) -> Reply:
    """How many a query finds."""
    if paging.predicate is None:
        return Reply({"type": "countResult", "count": sum(1 for _ in records)})
    return Reply({"type": "countResult", "count": sum(map(paging.predicate, map(shown, records)))})


def _sorted(documents: list[dict[str, Any]], paging: Paging) -> list[dict[str, Any]]:
    by = paging.sort_by
    if not by:
        return documents
    if documents and all(by not in one for one in documents):
        raise illegal("sortParam", by[:40], "no entry has such an attribute")
    return sorted(documents, key=lambda one: str(one.get(by, "")), reverse=paging.is_descending)
