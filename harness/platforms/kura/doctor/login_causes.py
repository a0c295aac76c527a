"""The user with whom the gateway logs in, and the coupling of users with client ids (spec 5.3, 5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Purpose
from fleetrig.harness.platforms.kura.doctor.records import AccountRecord, ConnectionRecord, CredentialRecord, UserRecord
from fleetrig.harness.servers.description import did_you_mean

NOT_AUTHORISED: Final = "The broker answers as to one who is not authorised (CONNACK 5)."
BAD_LOGIN: Final = "The broker answers as to a bad user name or password (CONNACK 4 or 5)."
LOCK: Final = "Three wrong passwords within an hour lock a user for three hours; a right password does not help."


def login_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of the account that the gateway calls. A request's user that is missing is said by its request."""
    server = facts.server
    account, user = server.account, server.user
    if account is None:
        return
    if user is None:
        if facts.purpose is Purpose.CONNECTION and server.users is not None and facts.gateway.login:
            yield _unknown_user(facts, account)
        return
    yield from _of_user(facts, account, user)
    if facts.purpose is Purpose.CONNECTION:
        yield from _coupling(facts, account, user)


def _unknown_user(facts: Facts, account: AccountRecord) -> Diagnosis:
    login = facts.gateway.login
    return Diagnosis(
        "user-unknown", Weight.CAUSE,
        f"The account {quoted(account.name)} has no user "
        f"{quoted(login)}{did_you_mean(login, facts.server.users or ())}. "
        f"{BAD_LOGIN}",
        "Correct the username of the gateway, or create the user, with a password and the permission broker:connect.",
        facts.shell.api("POST", f"/{account.scope_id}/users", {"name": login, "status": "ENABLED"}),
    )  # fmt: skip


def _of_user(facts: Facts, account: AccountRecord, user: UserRecord) -> Iterator[Diagnosis]:
    place = f"/{account.scope_id}"
    is_done = facts.request is not None and facts.request.job_status == "COMPLETED"
    if not user.is_enabled and not is_done:
        yield Diagnosis(
            "user-disabled", Weight.CAUSE, f"The user {quoted(user.name)} is DISABLED. {NOT_AUTHORISED}",
            "Enable it (PUT with status ENABLED and the optlock that was read last).",
            facts.shell.api("PUT", f"{place}/users/{user.id}", {**user.document, "status": "ENABLED"}),
        )  # fmt: skip
    if _is_over(user.expires_on, facts.now):
        yield Diagnosis(
            "user-expired", Weight.CAUSE,
            f"The user {quoted(user.name)} expired on {user.expires_on:{DAY}}. {NOT_AUTHORISED}",
            "Set a later expirationDate, or none.",
        )  # fmt: skip
    if user.credentials is not None:
        yield from _of_credentials(facts, place, user, list(user.credentials))
    if user.may_connect is False:
        yield Diagnosis(
            "no-connect-permission", Weight.CAUSE,
            f"The user {quoted(user.name)} has no permission broker:connect in {quoted(account.name)}. "
            f"{NOT_AUTHORISED}",
            "Add the permission: domain broker, action connect, in the scope of the account.",
            facts.shell.api("POST", f"{place}/accessinfos", {
                "userId": user.id,
                "permissions": [{"domain": "broker", "action": "connect", "targetScopeId": account.scope_id}],
            }),
        )  # fmt: skip


def _of_credentials(
    facts: Facts, place: str, user: UserRecord, credentials: list[CredentialRecord]
) -> Iterator[Diagnosis]:
    if not credentials:
        yield Diagnosis(
            "no-password", Weight.CAUSE, f"The user {quoted(user.name)} has no password. {BAD_LOGIN}",
            "Create a credential of the type PASSWORD, 12 to 255 characters: upper case, lower case, digit, symbol.",
        )  # fmt: skip
        return
    usable = [one for one in credentials if not any(_of_password(facts, place, user, one))]
    if not usable:
        yield from _of_password(facts, place, user, credentials[0])
    for one in usable:
        if one.failures:
            yield Diagnosis(
                "wrong-passwords", Weight.NOTE,
                f"{one.failures} wrong passwords were given for {quoted(user.name)}, perhaps by this gateway. {LOCK}",
            )  # fmt: skip


def _of_password(facts: Facts, place: str, user: UserRecord, one: CredentialRecord) -> Iterator[Diagnosis]:
    is_done = facts.request is not None and facts.request.job_status == "COMPLETED"
    if one.locked_until is not None and one.locked_until > facts.now:
        yield Diagnosis(
            "user-locked", Weight.CAUSE,
            f"The user {quoted(user.name)} is locked until {one.locked_until:{DAY}}. {LOCK} {NOT_AUTHORISED}",
            "Unlock its credential, once the gateway has the right password: its retries lock it again else.",
            facts.shell.api("POST", f"{place}/credentials/{one.id}/_unlock"),
        )  # fmt: skip
    if not one.is_enabled and not is_done:
        yield Diagnosis(
            "password-disabled", Weight.CAUSE,
            f"The password of {quoted(user.name)} is DISABLED. {NOT_AUTHORISED}", "Enable its credential.",
        )  # fmt: skip
    if _is_over(one.expires_on, facts.now):
        yield Diagnosis(
            "password-expired", Weight.CAUSE,
            f"The password of {quoted(user.name)} expired on {one.expires_on:{DAY}}. {NOT_AUTHORISED}",
            "Set a later expirationDate of its credential, or a new password.",
        )  # fmt: skip


def _is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now


# -- coupling


def _coupling(facts: Facts, account: AccountRecord, user: UserRecord) -> Iterator[Diagnosis]:
    """By the table of spec 5.4."""
    own, others = facts.server.connection, facts.server.connections or ()
    elsewhere = next((one for one in others if one.reserved_user == user.id and
                      one.client_id != facts.gateway.client_id), None)  # fmt: skip
    if own is not None and own.reserved_user:
        if own.reserved_user != user.id:
            yield Diagnosis(
                "reserved-for-another-user", Weight.CAUSE,
                f"The client id {quoted(own.client_id)} is reserved for the user {own.called(own.reserved_user)}; the "
                "gateway "
                f"logs in as {quoted(user.name)}. {NOT_AUTHORISED}",
                "Give the gateway that user, or set reservedUserId of the connection anew.",
                _options(facts, account, own, {"reservedUserId": user.id}),
            )  # fmt: skip
        return
    if elsewhere is not None:
        yield Diagnosis(
            "user-reserved-elsewhere", Weight.CAUSE,
            f"The user {quoted(user.name)} is reserved for the client id {quoted(elsewhere.client_id)}. "
            f"{NOT_AUTHORISED}",
            "Give this gateway a user of its own, or take that reservation away.",
        )  # fmt: skip
        return
    if own is None or not own.last_user or own.last_user == user.id or own.allows_change:
        return
    is_strict = own.coupling == "STRICT" or (own.coupling == "INHERITED" and account.is_strict)
    if is_strict or (own.coupling == "INHERITED" and account.is_strict is None):
        yield Diagnosis(
            "coupling-strict", Weight.CAUSE if is_strict else Weight.POSSIBLE,
            f"The client id {quoted(own.client_id)} was last used by {own.called(own.last_user)}, and its coupling is "
            "STRICT: "
            f"another user, {quoted(user.name)}, is not let in. {NOT_AUTHORISED}",
            "Set allowUserChange of the connection to true just before the gateway comes: the next login takes it "
            "back.",
            _options(facts, account, own, {"allowUserChange": True}),
        )  # fmt: skip


def _options(
    facts: Facts, account: AccountRecord, connection: ConnectionRecord, change: dict[str, object]
) -> tuple[str, ...]:
    kept = {name: connection.document[name] for name in ("userCouplingMode", "allowUserChange", "reservedUserId",
            "authenticationType", "optlock") if connection.document.get(name) is not None}  # fmt: skip
    return facts.shell.api("PUT", f"/{account.scope_id}/deviceconnections/{connection.id}/options", {**kept, **change})
