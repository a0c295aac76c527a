"""Lists: `q`, `sort`, `offset` and `limit` over any kind of record (§1.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps, finished
from fleetrig.reference_server.platforms.hawkbit.search.looking_through import Downwards, Wanted, looked_through
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Fields
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import Match, compiled
from fleetrig.reference_server.platforms.hawkbit.search.sources import BATCH, Source, Stored
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import sort_direction, sort_field, sort_syntax

R = TypeVar("R")

DEFAULT_LIMIT: Final = 50
MOST: Final = 500
MOMENT: Final = re.compile(r"(\$?)(\$\{(now_ts|overdue_ts)\})", re.IGNORECASE)


def page(
    call: Call,
    records: Iterable[R],
    fields: Fields,
    document: Callable[[R], Any],
    *,
    look: Any = None,
    newest_first: bool = False,
    searched: bool = True,
    sorts: Fields | None = None,
) -> Reply:
    """One page as the caller asked for it. `records` come in the default order, ascending.

    `newest_first` turns the default order round (actions and their status); without `searched` there is no `q`;
    `sorts` are the fields to sort by, if they are others than those to search. Raises 400 for a bad `q`, `sort`,
    `offset` or `limit`.
    """
    offset, limit = paging(call)
    sorts = fields if sorts is None else sorts
    orders = sort_orders(call.joined("sort"), sorts)
    found = list(records)
    if searched and (query := call.joined("q")) is not None:
        match = compiled(with_moments(call, query), fields)
        found = [record for record in found if match(record, look)]
    if orders is None:
        found = found[::-1] if newest_first else found
    else:
        _sort(found, orders, sorts, look)
    return paged([document(record) for record in found[offset : offset + limit]], len(found))


def stored_page(
    call: Call,
    source: Source[R],
    fields: Fields,
    document: Callable[[R], Any],
    *,
    look: Any = None,
    newest_first: bool = False,
    searched: bool = True,
    sorts: Fields | None = None,
) -> Reply | Steps:
    """As `page`, of records of which there may be a hundred thousand: what needs to look at all of them takes steps.

    In order of the key, and without a search, it costs the page. Raises as `page`, before anything is looked at.
    """
    offset, limit = paging(call)
    sorts = fields if sorts is None else sorts
    orders = sort_orders(call.joined("sort"), sorts)
    query = call.joined("q") if searched else None
    if (
        isinstance(source, Stored)
        and query is None
        and (descending := _by_key(source, orders, newest_first)) is not None
    ):
        records = call.repo.store.page(
            source.kind, call.tenant, offset, limit, of=source.of, descending=descending
        )  # fmt: skip
        return paged([document(record) for record in records], source.count(call))
    match = None if query is None else compiled(with_moments(call, query), fields)
    wanted = Wanted(
        offset,
        limit,
        None if match is None else partial(_matches, match, look),
        source.by if orders is None else _sort_key(orders, sorts, look),
        turned_round=newest_first and orders is None,
    )
    steps = _looked_through(call, source, wanted, document)
    return steps if source.count(call) > BATCH else finished(steps)


def _by_key(source: Stored[Any], orders: list[tuple[str, bool]] | None, newest_first: bool) -> bool | None:
    """Whether the order of the keys, which no two records share, is asked for turned round; None for another order."""
    if source.fits is not None:
        return None
    if orders is None:
        return newest_first if source.by is None else None
    return orders[0][1] if orders and orders[0][0] in source.key_fields else None


def _matches(match: Match, look: Any, record: Any) -> bool:
    return match(record, look)


def _looked_through(
    call: Call, source: Source[R], wanted: Wanted[R], document: Callable[[R], Any]
) -> Generator[None, None, Reply]:
    found = yield from looked_through(source.batches(call), wanted)
    return paged([document(record) for record in found.page], found.total)


def _sort_key(orders: list[tuple[str, bool]], fields: Fields, look: Any) -> Callable[[Any], Any] | None:
    """What has parts or many values sorts nothing."""
    keys = [
        (partial(field.sort_key, look=look), descending)
        for name, descending in orders
        if (field := fields.fields.get(name)) is not None and not field.is_collection
    ]
    if not keys:
        return None
    return lambda record: tuple(Downwards(key(record)) if descending else key(record) for key, descending in keys)


def paged(content: list[Any], total: int) -> Reply:
    return Reply(body={"content": content, "total": total, "size": len(content)})


def paging(call: Call) -> tuple[int, int]:
    """(offset, limit): a negative offset counts as 0, a limit below 1 as 50, above 500 as 500."""
    offset, limit = call.integer("offset", 0), call.integer("limit", DEFAULT_LIMIT)
    return max(offset, 0), DEFAULT_LIMIT if limit < 1 else min(limit, MOST)


def sort_orders(text: str | None, fields: Fields) -> list[tuple[str, bool]] | None:
    """`sort` as (field in lower case, descending); None when not given. Raises 400."""
    if text is None:
        return None
    orders = []
    for part in filter(None, text.split(",")):
        pieces = [piece for piece in part.strip().split(":") if piece]
        if len(pieces) != 2:
            raise sort_syntax(f"sort {part[:100]!r}: expected <field>:<ASC|DESC>")
        name, direction = (piece.strip().lower() for piece in pieces)
        if name not in fields.parts:
            raise sort_field(f"no field {name[:100]!r} to sort by: there is {', '.join(fields.parts)}")
        if direction not in {"asc", "desc"}:
            raise sort_direction(f"sort direction {direction[:20]!r}: expected ASC or DESC")
        orders.append((name, direction == "desc"))
    return orders


def _sort(records: list[Any], orders: list[tuple[str, bool]], fields: Fields, look: Any) -> None:
    """By the last order first, since sorting keeps equals in place. What has parts or many values sorts nothing."""
    for name, descending in reversed(orders):
        field = fields.fields.get(name)
        if field is not None and not field.is_collection:
            records.sort(key=partial(field.sort_key, look=look), reverse=descending)


def with_moments(ctx: Context, query: str) -> str:
    """`${now_ts}` and `${overdue_ts}` in a query become ms since the epoch (`VirtualPropertyResolver.java`).

    Their case does not matter; a second `$` before one keeps it as it is, and what has another name is left alone.
    """
    if "${" not in query:
        return query
    config = ctx.config
    moments = {
        "now_ts": ctx.now_ms,
        "overdue_ts": ctx.now_ms - config.polling.default.milliseconds - config.overdue_ms,
    }
    return MOMENT.sub(lambda found: found[2] if found[1] else str(moments[found[3].lower()]), query)
