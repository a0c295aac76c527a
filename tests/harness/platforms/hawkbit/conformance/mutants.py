"""Reference servers with one mistake each: what a conformance suite is good for is to find them.

A mutant is a change or two of single attributes of the platform's modules, made while one server runs. It names the
rows that have to find it; each of them has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.search import rsql_match
from fleetrig.reference_server.platforms.hawkbit.state import maintenance
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import Change, applied, instead


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. `properties` are start-up properties under the real server's names."""

    name: str
    caught_by: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def applied(self) -> Iterator[None]:
        forget_cached()
        try:
            with applied(self.changes):
                yield
        finally:
            forget_cached()


def forget_cached() -> None:
    """What was made of a query or a schedule before a change is not what is made of it after."""
    rsql_match.compiled_short.cache_clear()
    rsql_match.compiled_long.cache_clear()
    maintenance.window_of.cache_clear()


def mutant(name: str, rows: str, *changes: Change, properties: Mapping[str, str] | None = None) -> Mutant:
    """`rows` separated by blanks."""
    return Mutant(name, tuple(rows.split()), changes, properties or {})


# -- mistakes that show in an answer only


def answering(change: Callable[[HttpRequest, HttpResponse], HttpResponse]) -> Change:
    """Everything happens as it should, but the answer is another one."""

    def mutated(original: Any, platform: HawkbitPlatform, request: HttpRequest, *more: Any) -> Any:
        answer = original(platform, request, *more)
        return replace(answer, response=change(request, answer.response))

    return (HawkbitPlatform, "handle", instead(mutated))


def status_for(method: str, ending: str, before: int, after: int) -> Change:
    """Another status for this method and for paths with this ending."""

    def change(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        fits = request.method == method and request.path.endswith(ending) and response.status == before
        return replace(response, status=after) if fits else response

    return answering(change)


def without_header(name: str, status: int) -> Change:
    """Answers with this status lack a header."""

    def change(_: HttpRequest, response: HttpResponse) -> HttpResponse:
        kept = tuple(header for header in response.headers if header[0].lower() != name.lower())
        return replace(response, headers=kept) if response.status == status else response

    return answering(change)


def with_header(name: str, value: str, status: int) -> Change:
    """Answers with this status have one header more."""

    def change(_: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status != status:
            return response
        return replace(response, headers=(*response.headers, (name, value)))

    return answering(change)
