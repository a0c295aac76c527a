"""Clean-up after a run: the accounts that it has asked for are deleted, with all that stands in them. No other is."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.request_calls import delete_request
from fleetrig.simulator.drivers.director import AdminCall


def steps(run: KuraRun) -> Iterator[tuple[str, AdminCall[None]]]:
    """Nothing for a run that ended before it asked for an account."""
    assert run.context.prefix, "without a prefix an account could be anybody's"
    if run.made_requests:
        yield f"{len(run.made_requests)} provision requests", delete_requests(run)
    for account in run.asked_for:
        name = run.account_name(account)
        yield f"devices and users of account {name}", empty_account(run, name)
        yield f"account {name}", delete_account(run, name)


def delete_requests(run: KuraRun) -> AdminCall[None]:
    """First: with a request its bootstrap user in the provisioning account goes."""
    for request_id in run.made_requests:
        yield from delete_request(run.admin, request_id)


def empty_account(run: KuraRun, name: str) -> AdminCall[None]:
    """A Kapua deletes what an account had only later: until then its names are taken."""
    scope = yield from run.admin.account_id(name)
    if scope is None:
        return
    for kind in ("devices", "users"):
        for record in (yield from run.admin.listed(f"{scope}/{kind}")):
            yield from run.admin.delete(f"{scope}/{kind}/{run.admin.part(record, str, 'id')}")


def delete_account(run: KuraRun, name: str) -> AdminCall[None]:
    scope = yield from run.admin.account_id(name)
    if scope is not None:
        yield from run.admin.delete(f"{run.admin.scope_id}/accounts/{scope}")
