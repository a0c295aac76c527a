"""Credentials as operators put them (docs/contracts/hono.md §1.3)."""

from __future__ import annotations

import base64
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import with_basic
from fleetrig.harness.platforms.hono.conformance.issuing import D1_AUTH_ID, base64_of
from fleetrig.harness.platforms.hono.conformance.registry_api import (
    UUID,
    expect_changed,
    expect_error,
    expect_status,
    expect_version,
)
from fleetrig.harness.platforms.hono.conformance.row_client import AUTH_ID, PASSWORD, RowClient, password

ROWS: Final[Resource[RowClient]] = Resource("hono", "credentials")
CURRENT: Final = ("current",)
BCRYPT: Final = "$2a${}$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
"""With its cost."""
PLAIN: Final = {"type": "hashed-password", "auth-id": AUTH_ID, "secrets": [{"pwd-plain": PASSWORD}]}
KEY: Final = base64.b64encode(b"hono-secret").decode()


def put(client: RowClient, entries: Any, device: str = "d", tenant: str = "", **headers: str) -> Any:
    return client.api("PUT", f"/credentials/{tenant}/{device}", entries, **headers)


def with_plain_password(client: RowClient) -> tuple[str, str]:
    """A tenant whose device d has a password that was given in clear, and the id of its secret."""
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), PLAIN)
    [entry] = client.credentials(tenant, "d")
    return tenant, entry["secrets"][0]["id"]


@ROWS.row("R40", "password", "A password given in clear is never shown again; its secret has an id, and hides its hash")
def plain_password(client: RowClient) -> None:
    tenant = client.tenant()
    expect_changed(put(client, [PLAIN], client.device(tenant), tenant))
    [entry] = client.credentials(tenant, "d")
    expect("type and auth-id", ("hashed-password", AUTH_ID), (entry["type"], entry["auth-id"]))
    [secret] = entry["secrets"]
    expect_that("pwd-plain" not in secret, "no password in clear", list(secret))
    if client.generation.is_current:
        expect("the members of its secret", ["id"], list(secret))
        expect_that(UUID.fullmatch(secret["id"]), "the id of a secret is a UUID", secret)


@ROWS.row("R41", "secret-id", "A secret that is named by its id keeps its password and gets a new validity; it still "
          "signs in, where an HTTP adapter is known", needs=CURRENT)  # fmt: skip
def secret_id(client: RowClient) -> None:
    tenant, named = with_plain_password(client)
    limited = {"id": named, "not-after": "2040-01-01T00:00:00Z"}
    expect_changed(put(client, [{**PLAIN, "secrets": [limited]}], tenant=tenant))
    expect("the secret", [limited], client.credentials(tenant, "d")[0]["secrets"])
    if "http" in client.under_test.can:
        account = f"{AUTH_ID}@{tenant}:{PASSWORD}"
        client.under_test.after_change(lambda: expect_status(with_basic(client, account), 202))


@ROWS.row("R42", "unknown-secret-id", "A secret id that is not on record is 400, and nothing changes", needs=CURRENT)
def unknown_secret_id(client: RowClient) -> None:
    tenant, named = with_plain_password(client)
    client.device(tenant, device="e")
    unknown = {**PLAIN, "secrets": [{"id": "11111111-1111-1111-1111-111111111111"}]}
    for device in "de":
        expect_error(put(client, [unknown], device, tenant), 400)
    twice = {**PLAIN, "secrets": [{"id": named}, {"id": named}]}
    expect_error(put(client, [twice], tenant=tenant), 400)
    expect("the secret", [{"id": named}], client.credentials(tenant, "d")[0]["secrets"])


@ROWS.row("R43", "none", "An empty list takes all credentials away, and sign-in with them, where an HTTP adapter is "
          "known")  # fmt: skip
def none(client: RowClient) -> None:
    tenant = client.tenant()
    account = client.with_password(tenant)
    if "http" in client.under_test.can:
        expect("with its password", 202, with_basic(client, account).status)
    expect_changed(put(client, [], tenant=tenant))
    expect("credentials", [], client.credentials(tenant, "d"))
    if "http" in client.under_test.can:
        client.under_test.after_change(lambda: expect("without", 401, with_basic(client, account).status))


@ROWS.row("R44", "replace", "What is put replaces all that was there")
def replace(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), password("a"), password("b"))
    client.give(tenant, "d", password("c"))
    expect("auth-ids", ["c"], [one["auth-id"] for one in client.credentials(tenant, "d")])


@ROWS.row("R45", "twice", "Two entries of one type and auth-id are 400", needs=CURRENT)
def twice(client: RowClient) -> None:
    tenant = client.tenant()
    expect_error(put(client, [password(), password()], client.device(tenant), tenant), 400)
    expect_changed(put(client, [password(), psk()], tenant=tenant))


@ROWS.row("R46", "taken", "A type and auth-id that another device has is 409 (Hono with JDBC: 500), and both devices "
          "stay as they were")  # fmt: skip
def taken(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), password())
    client.device(tenant, device="e")
    before = client.credentials(tenant, "d")
    answer = put(client, [password()], "e", tenant)
    client.expect_status_known(answer, lambda one: one.status_of_taken_auth_id)
    expect("the other's credentials", before, client.credentials(tenant, "d"))
    expect("its own", [], client.credentials(tenant, "e"))


@ROWS.row("R47", "bcrypt", "A bcrypt hash that costs more than 10, and what is none, is 400", needs=CURRENT)
def bcrypt(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    for text, status in ((BCRYPT.format(11), 400), ("notbcrypt", 400), (BCRYPT.format(10), 204)):
        secret = {"hash-function": "bcrypt", "pwd-hash": text}
        expect_status(put(client, [{**PLAIN, "secrets": [secret]}], tenant=tenant), status)
    expect("members of the secret", ["id"], list(client.credentials(tenant, "d")[0]["secrets"][0]))


@ROWS.row("R48", "incomplete", "Without type, auth-id or secrets it is 400")
def incomplete(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    for member in ("type", "auth-id", "secrets"):
        without = {name: value for name, value in password().items() if name != member}
        expect_status(put(client, [without], tenant=tenant), 400)
    expect_status(put(client, [{**password(), "secrets": []}], tenant=tenant), 400)
    expect("credentials", [], client.credentials(tenant, "d"))


@ROWS.row("R49", "validity", "A secret that begins after it ends is 400 (Hono: 500)")
def validity(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    dates = {"not-before": "2040-01-01T00:00:00Z", "not-after": "2030-01-01T00:00:00Z"}
    never = {**PLAIN, "secrets": [{"pwd-plain": PASSWORD, **dates}]}
    client.expect_status_known(put(client, [never], tenant=tenant), lambda one: one.status_of_wrong_kind)
    expect("credentials", [], client.credentials(tenant, "d"))


@ROWS.row("R50", "certificate", "Of a certificate its name and validity are kept, and nothing else", needs=CURRENT)
def certificate(client: RowClient) -> None:
    tenant, authority = client.tenant(), client.authority()
    leaf, issued = authority.device(), authority.ca.certificate
    client.give(tenant, client.device(tenant), {"type": "x509-cert", "cert": base64_of(leaf)})
    [entry] = client.credentials(tenant, "d")
    [secret] = entry.pop("secrets")
    expect("the entry", {"type": "x509-cert", "auth-id": D1_AUTH_ID}, entry)
    begin, end = issued.not_valid_before_utc, issued.not_valid_after_utc
    dates = {"not-before": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "not-after": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    expect("its secret", {"id": secret["id"], **dates}, secret)


@ROWS.row("R51", "name", "A certificate's name is kept as Java writes it", needs=CURRENT)
def name(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), {"type": "x509-cert", "auth-id": "cn=x, o=y", "secrets": [{}]})
    expect("auth-id", "CN=x,O=y", client.credentials(tenant, "d")[0]["auth-id"])


@ROWS.row("R52", "psk", "A pre-shared key is never shown; its secret has an id", needs=CURRENT)
def pre_shared_key(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), psk())
    [entry] = client.credentials(tenant, "d")
    expect("members of the secret", ["id"], list(entry["secrets"][0]))


def psk() -> dict[str, Any]:
    return {"type": "psk", "auth-id": AUTH_ID, "secrets": [{"key": KEY}]}


@ROWS.row("R53", "version", "Another version is 412, the right one is taken; the device's own changes with it (Hono "
          "with MongoDB: it does not)", needs=CURRENT)  # fmt: skip
def version(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    expect_error(put(client, [password()], tenant=tenant, if_match="x"), 412)
    shown = client.asked("GET", f"/credentials/{tenant}/d")
    expect("credentials", [], shown.json())
    before = client.asked("GET", f"/devices/{tenant}/d").header("ETag")
    expect_changed(put(client, [password()], tenant=tenant, if_match=expect_version(shown)))
    after = client.asked("GET", f"/devices/{tenant}/d").header("ETag")
    client.expect_known("the device has a new version", after != before, lambda one: one.has_common_version)


@ROWS.row("R54", "limit", "One more than max-credentials-per-device is 403", needs=CURRENT)
def limit(client: RowClient) -> None:
    tenant = client.tenant({"registration-limits": {"max-credentials-per-device": 1}})
    client.device(tenant)
    expect_error(put(client, [password("a"), password("b")], tenant=tenant), 403)
    expect("credentials", [], client.credentials(tenant, "d"))
    expect_changed(put(client, [password("a")], tenant=tenant))


@ROWS.row("R66", "raw-public-key", "A raw public key is shown with its algorithm; what is none is 400", needs=CURRENT)
def raw_public_key(client: RowClient) -> None:
    tenant, key = client.tenant(), {"key": client.authority().public_key, "algorithm": "EC"}
    client.device(tenant)
    entry = {"type": "rpk", "auth-id": AUTH_ID}
    for wrong in ({**key, "algorithm": "RSA"}, {**key, "key": "AAAA"}):
        expect_error(put(client, [{**entry, "secrets": [wrong]}], tenant=tenant), 400)
    client.give(tenant, "d", {**entry, "secrets": [key]})
    [secret] = client.credentials(tenant, "d")[0]["secrets"]
    expect("the secret", {**key, "id": secret["id"]}, secret)
