"""Searching sets. `complete` is no field of the database: the server looks at a page when it has it (§1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import set_document
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page, paged, paging, with_moments
from fleetrig.reference_server.platforms.hawkbit.search.rsql import Comparison, Logical, Node, Operator, parse
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import matcher
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import SET_FIELDS
from fleetrig.reference_server.platforms.hawkbit.state.action_records import DistributionSet
from fleetrig.reference_server.platforms.hawkbit.state.errors import rsql_syntax

COMPLETE: Final = "complete"


def set_page(call: Call, sets: Iterable[DistributionSet]) -> Reply:
    """One page of these sets, as asked for."""
    query = call.query.get("q")
    if query is not None and COMPLETE in query.lower():
        comparison, rest = _without_complete(parse(with_moments(call, query)))
        if comparison is not None:
            return _page_by_completeness(call, sets, comparison, rest)
    return page(call, sets, SET_FIELDS, lambda record: set_document(call, record), look=call)


def _page_by_completeness(
    call: Call, sets: Iterable[DistributionSet], comparison: Comparison, rest: list[Node]
) -> Reply:
    """`total` counts what the rest of the query finds, and so does paging; on the last page it counts what is shown."""
    wanted = _wanted(comparison)
    matches = [matcher(node, SET_FIELDS) for node in rest]
    found = [record for record in sets if all(match(record, call) for match in matches)]
    reply = page(call, found, SET_FIELDS, lambda record: set_document(call, record), look=call, searched=False)
    content = [document for document in reply.body["content"] if document["complete"] == wanted]
    offset, limit = paging(call)
    total = reply.body["total"]
    return paged(content, offset + len(content) if content and offset + limit > total else total)


def _wanted(comparison: Comparison) -> bool:
    if comparison.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        word = comparison.operator.strip("=")
        raise rsql_syntax("complete is asked for with == or != only", f"Unsupported operator for 'complete': {word}")
    return (comparison.values[0] == "true") == (comparison.operator is Operator.EQUAL)


def _without_complete(node: Node) -> tuple[Comparison | None, list[Node]]:
    """What asks for completeness, alone or joined with `and`, and the rest of the query."""
    parts = node.children if isinstance(node, Logical) and node.is_and else (node,)
    about = [part for part in parts if isinstance(part, Comparison) and part.selector == COMPLETE]
    if len(about) > 1:
        message = "Multiple 'complete' comparisons are not supported"
        raise rsql_syntax("complete is asked for more than once", message)
    return (about[0] if about else None), [part for part in parts if part not in about]
