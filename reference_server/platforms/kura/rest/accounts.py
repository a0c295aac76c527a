"""Accounts: `/v1/{scope}/accounts`, `/v1/account` (spec 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import date_us, inner, needed_text, needed_whole, text
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
from fleetrig.reference_server.platforms.kura.state.account_removal import remove_account
from fleetrig.reference_server.platforms.kura.state.accounts import (
    children_of,
    create_account,
    needed_account,
    update_account,
)
from fleetrig.reference_server.platforms.kura.state.errors import decimal_id, missing
from fleetrig.reference_server.platforms.kura.state.permissions import check_permitted
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord

ORGANIZATION: Final = (
    "name", "personName", "email", "phoneNumber", "addressLine1", "addressLine2", "addressLine3", "zipPostCode", "city",
    "stateProvinceCounty", "country",
)  # fmt: skip
SHORT: Final = 255


def account_document(account: AccountRecord) -> dict[str, Any]:
    path = "/".join(decimal_id(part) for part in account.path.split("/"))
    members = {
        "name": account.name,
        "expirationDate": date(account.expires_us),
        "organization": {"type": "organization", **account.organization},
        "parentAccountPath": path,
    }
    return entity("account", account, members)


def list_all(call: Call) -> Reply:
    name = call.parameter("name")
    found = [one for one in children_of(call.registry, call.scope.id) if name in ("", one.name)]
    return listed("account", found, account_document, paging_of_query(call))


def query(call: Call) -> Reply:
    return listed("account", children_of(call.registry, call.scope.id), account_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(children_of(call.registry, call.scope.id), account_document, paging_of_body(call))


def create(call: Call) -> Reply:
    asked = call.document
    told = {name: f"organization{name[0].upper()}{name[1:]}" for name in ORGANIZATION}
    organization = {name: value for name, key in told.items() if (value := text(asked, key, SHORT))}
    account = AccountRecord(
        call.registry.new_id(),
        call.scope.id,
        needed_text(asked, "name", SHORT),
        "",
        organization=organization,
        expires_us=date_us(asked, "expirationDate"),
        created_us=call.now_us,
        created_by=call.operator.id,
        modified_us=call.now_us,
        modified_by=call.operator.id,
    )
    made = create_account(call.registry, account)
    return created(account_document(made), f"account {made.name} created")


def read(call: Call) -> Reply:
    """Wherever it is below, its id says which: the account before it in the path means nothing (Kapua's `Account`).

    Whoever is of it needs the right in it, everybody else in the account above. Raises Refused.
    """
    account = needed_account(call.registry, call.values["account"])
    is_own = account.id == call.operator.scope_id
    check_permitted(call.registry, call.operator, "account", "read", account.id if is_own else account.scope_id)
    return Reply(account_document(account))


def update(call: Call) -> Reply:
    account = _wanted(call)
    changed = replace(
        account, organization=_organization(call.document, account), expires_us=_expires_us(call, account)
    )
    optlock = needed_whole(call.document, "optlock")
    saved = update_account(call.registry, changed, optlock, call.now_us, call.operator.id)
    return Reply(account_document(saved), changed=f"account {saved.name} changed")


def delete(call: Call) -> Reply:
    account = _wanted(call)
    remove_account(call.registry, account)
    return done(f"account {account.name} deleted")


def read_own(call: Call) -> Reply:
    """GET /v1/account."""
    return Reply(account_document(needed_account(call.registry, call.operator.scope_id)))


def _wanted(call: Call) -> AccountRecord:
    """A child of the account in the path. Raises Refused."""
    account_id = call.values["account"]
    account = needed_account(call.registry, account_id)
    if account.scope_id != call.scope.id:
        raise missing("account", account_id)
    return account


def _organization(asked: Mapping[str, Any], account: AccountRecord) -> dict[str, str]:
    said = inner(asked, "organization")
    given = {name: value for name in ORGANIZATION if (value := text(said, name, SHORT)) is not None}
    return {**account.organization, **given}


def _expires_us(call: Call, account: AccountRecord) -> int | None:
    return date_us(call.document, "expirationDate") if "expirationDate" in call.document else account.expires_us
