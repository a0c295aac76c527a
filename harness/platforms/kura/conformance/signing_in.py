"""Who is let in at the provision broker (docs/contracts/kura.md §1.2, §1.5, §5.4).

A connection is established only if there is a provision request of exactly this client id, user name and password.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.audit import expect_audited
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    bootstrap,
    bootstrap_answer,
    expect_material,
    provisioned,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import expect_refused
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, new_password

ROWS: Final[Resource[RowClient]] = Resource("kura", "sign-in")
NEEDS: Final = ("mqtt", "provisioning")


@ROWS.row("S01", "no-request", "Without a provision request CONNECT is refused with 4 or 5, and there is no session",
          needs=("mqtt",))  # fmt: skip
def no_request(client: RowClient) -> None:
    session = client.gateway(client.under_test.provision_account)
    expect_refused("CONNECT without a request", session.connect(f"prov-{session.client_id}", new_password()))
    session.expect_closed("after a refused CONNECT")


@ROWS.row("S02", "exact", "With a request, the right client id, user and password are accepted, without an old session",
          needs=NEEDS)  # fmt: skip
def exact(client: RowClient) -> None:
    expect("CONNECT as the request says", "CONNACK 0", bootstrap_answer(client, client.request()))


@ROWS.row("S03", "wrong-password", "A wrong password is refused; the job stays CREATED, and the attempt is told",
          needs=NEEDS)  # fmt: skip
def wrong_password(client: RowClient) -> None:
    request = client.request()
    expect_refused("CONNECT with a wrong password", bootstrap_answer(client, request, password=new_password()))
    client.expect_job(request, "CREATED")
    expect_audited(client, request.client_id, request.password)
    expect("CONNECT with the right password then", "CONNACK 0", bootstrap_answer(client, request))


@ROWS.row("S04", "other-client-id", "User and password of one gateway are no good for the client id of another, nor "
          "for one that is nearly its own", needs=NEEDS)  # fmt: skip
def other_client_id(client: RowClient) -> None:
    request, other = client.request(), client.request()
    for client_id in (other.client_id, client.name(), request.client_id.upper(), f"{request.client_id} "):
        expect_refused(f"CONNECT as {client_id!r}", bootstrap_answer(client, request, client_id=client_id))
    expect("CONNECT as the request says", "CONNACK 0", bootstrap_answer(client, request))


@ROWS.row("S05", "nearly-the-user", "A user name in another case, or with a blank behind it, is refused", needs=NEEDS)
def nearly_the_user(client: RowClient) -> None:
    request = client.request()
    for user_name in (request.user_name.upper(), f"{request.user_name} ", f" {request.user_name}"):
        expect_refused(f"CONNECT as the user {user_name!r}", bootstrap_answer(client, request, user_name=user_name))
    expect("CONNECT as the request says", "CONNACK 0", bootstrap_answer(client, request))


@ROWS.row("S21", "completed", "Profile: once the job is COMPLETED the credentials of the request are refused",
          needs=NEEDS)  # fmt: skip
def completed(client: RowClient) -> None:
    request = client.request()
    expect("CONNECT before", "CONNACK 0", bootstrap_answer(client, request))
    provisioned(client, request)
    expect_refused("CONNECT with bootstrap credentials afterwards", bootstrap_answer(client, request))


@ROWS.row("S22", "again", "Profile: a new request that overwrites a completed one lets the gateway in again",
          needs=NEEDS)  # fmt: skip
def again(client: RowClient) -> None:
    request = client.request()
    first, _ = provisioned(client, request)
    renewed = client.request(client_id=request.client_id, overwriteIfDuplicate=True)
    second = expect_material(bootstrap(client, renewed).request())
    expect_that(second.job_id != first.job_id, "the job of the new request is another one", second.job_id)
