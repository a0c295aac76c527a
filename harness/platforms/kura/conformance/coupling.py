"""Which user a client id may come with, and how wrong passwords lock users (docs/contracts/kura.md §5.1, §5.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.gateway_session import REFUSALS, expect_refused
from fleetrig.harness.platforms.kura.conformance.kapua_api import expect_status
from fleetrig.harness.platforms.kura.conformance.row_client import (
    CONNECTIONS,
    RowAccount,
    RowClient,
    RowUser,
    new_password,
)

ROWS: Final[Resource[RowClient]] = Resource("kura", "user")
NEEDS: Final = ("mqtt",)
LOCKED_FOR_S: Final = 10_800
FAILURES: Final = 3
RESET_AFTER_S: Final = 3_600
ACCEPTED: Final = "CONNACK 0"


def said(client: RowClient, account: RowAccount, user: RowUser, client_id: str, password: str = "") -> str:
    """What a CONNECT is answered; the connection is closed again, in order if it was accepted."""
    session = client.gateway(account.name, client_id)
    answer = session.connect(user.name, password or user.password)
    if answer == ACCEPTED:
        session.disconnect(dc=False)
    else:
        session.drop()
    return answer


def options(client: RowClient, account: RowAccount, client_id: str, **changes: Any) -> dict[str, Any]:
    """Changes the options of a connection, if need be, and gives them as they are then."""
    found = client.connection(account.scope_id, client_id)
    expect_that(found, f"a connection {client_id}", found)
    assert found is not None
    path = f"/v1/{account.scope_id}/deviceconnections/{found['id']}/options"
    if changes:
        client.asked("PUT", path, {**client.asked("GET", path), **changes}, 200, 204)
    return dict(client.asked("GET", path))


@ROWS.row("S38", "strict", "Coupled strictly, a client id that is known comes with its last user only; allowUserChange "
          "lets another in once, and is false again then", needs=NEEDS)  # fmt: skip
def strict(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    first, second = client.user(account), client.user(account)
    expect("CONNECT of the first user", ACCEPTED, said(client, account, first, client_id))
    options(client, account, client_id, userCouplingMode="STRICT", allowUserChange=False)
    expect_refused("CONNECT of another user", said(client, account, second, client_id))
    expect("CONNECT of the first user", ACCEPTED, said(client, account, first, client_id))
    options(client, account, client_id, allowUserChange=True)
    expect("CONNECT of another user, permitted", ACCEPTED, said(client, account, second, client_id))
    expect("allowUserChange then", False, options(client, account, client_id)["allowUserChange"])
    expect_refused("CONNECT of the first user", said(client, account, first, client_id))


@ROWS.row("U01", "strict-account", "An account whose default is STRICT couples its connections; LOOSE does not",
          needs=NEEDS)  # fmt: skip
def strict_account(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    first, second = client.user(account), client.user(account)
    for user in (first, second, first):
        expect("CONNECT while it is LOOSE", ACCEPTED, said(client, account, user, client_id))
    client.set_service(account, CONNECTIONS, deviceConnectionUserCouplingDefaultMode=("String", "STRICT"))
    expect_refused("CONNECT of another user", said(client, account, second, client_id))
    expect("CONNECT of the last user", ACCEPTED, said(client, account, first, client_id))


@ROWS.row("U02", "reserved", "A user who is reserved for a client id is refused at any other, and others are refused "
          "there", needs=NEEDS)  # fmt: skip
def reserved(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    mine, other = client.user(account), client.user(account)
    expect("CONNECT before", ACCEPTED, said(client, account, mine, client_id))
    options(client, account, client_id, reservedUserId=mine.id)
    expect_refused("CONNECT of the reserved user elsewhere", said(client, account, mine, client.name()))
    expect_refused("CONNECT of another user", said(client, account, other, client_id))
    expect("CONNECT of the reserved user", ACCEPTED, said(client, account, mine, client_id))


def lock(client: RowClient, account: RowAccount, user: RowUser, times: int = FAILURES) -> None:
    """So many wrong passwords."""
    for _ in range(times):
        expect_refused("CONNECT with a wrong password", said(client, account, user, client.name(), new_password()))


@ROWS.row("S39", "lockout", "After three wrong passwords the right one is refused, too, until an operator unlocks it",
          needs=NEEDS)  # fmt: skip
def lockout(client: RowClient) -> None:
    account = client.account()
    user = client.user(account)
    lock(client, account, user, FAILURES - 1)
    expect("CONNECT after two wrong passwords", ACCEPTED, said(client, account, user, client.name()))
    lock(client, account, user)
    expect_refused("CONNECT with the right password", said(client, account, user, client.name()))
    path = f"/v1/{account.scope_id}/credentials/{user.credential_id}/_unlock"
    expect_status(client.call("POST", path, {}), 200, 204)
    expect("CONNECT after _unlock", ACCEPTED, said(client, account, user, client.name()))


@ROWS.row("U03", "lock-ends", "A lock lasts 3 h from the third failure, however often is tried meanwhile; two failures "
          "are forgotten after an hour", needs=(*NEEDS, "clock"))  # fmt: skip
def lock_ends(client: RowClient) -> None:
    account = client.account()
    user = client.user(account)
    lock(client, account, user)
    for waited_s in (LOCKED_FOR_S - RESET_AFTER_S, RESET_AFTER_S - 5):
        client.under_test.let_pass(waited_s)
        lock(client, account, user)
        expect_refused("CONNECT while it is locked", said(client, account, user, client.name()))
    client.under_test.let_pass(10)
    expect("CONNECT after 3 h", ACCEPTED, said(client, account, user, client.name()))
    lock(client, account, user, FAILURES - 1)
    client.under_test.let_pass(RESET_AFTER_S + 1)
    lock(client, account, user, FAILURES - 1)
    expect("CONNECT after two and two failures", ACCEPTED, said(client, account, user, client.name()))


@ROWS.row("U04", "no-right", "A user without the right broker:connect, one who is disabled and one whose password is "
          "disabled are refused", needs=NEEDS)  # fmt: skip
def no_right(client: RowClient) -> None:
    account = client.account()
    user = client.user(account, ("device", "read"))
    expect_refused("CONNECT without broker:connect", said(client, account, user, client.name()))
    for kind, entity, status in (("users", "id", "status"), ("credentials", "credential_id", "status")):
        user = client.user(account)
        expect("CONNECT before", ACCEPTED, said(client, account, user, client.name()))
        path = f"/v1/{account.scope_id}/{kind}/{getattr(user, entity)}"
        client.asked("PUT", path, {**client.asked("GET", path), status: "DISABLED"}, 200, 204)
        expect_refused(f"CONNECT with disabled {kind}", said(client, account, user, client.name()))


@ROWS.row("U05", "disabled-device", "A device that is DISABLED is refused; with kapua-lax it is let in, as by a real "
          "Kapua", needs=NEEDS)  # fmt: skip
def disabled_device(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    user = client.user(account)
    session = client.signed_in(account, user, client_id)
    session.birth()
    device = client.existing_device(account, client_id)
    session.disconnect()
    path = f"/v1/{account.scope_id}/devices/{device['id']}"
    client.asked("PUT", path, {**device, "status": "DISABLED"}, 200, 204)
    answer = said(client, account, user, client_id)
    is_lax = client.under_test.profile == "kapua-lax"
    client.inferred("whether CONNECT of a disabled device is refused", not is_lax, answer in REFUSALS)


@ROWS.row("U06", "disconnect", "_disconnect of a connection is 204, and ends the session", needs=NEEDS)
def disconnect(client: RowClient) -> None:
    account = client.account()
    session = client.plain_gateway()
    found = client.connection(account.scope_id, session.client_id)
    expect_that(found, f"a connection {session.client_id}", found)
    assert found is not None
    path = f"/v1/{account.scope_id}/deviceconnections/{found['id']}/_disconnect"
    expect_status(client.call("POST", path, {}), 200, 204)
    session.expect_closed("after _disconnect")
