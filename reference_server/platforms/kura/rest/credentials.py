"""Passwords: `/v1/{scope}/credentials` and below users (spec 5.4, 5.5). They are written and never read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import date_us, needed_text, needed_whole, word
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
from fleetrig.reference_server.platforms.kura.state.credentials import (
    PASSWORD,
    check_password,
    credentials_of,
    credentials_within,
    delete_credential,
    needed_credential,
    new_credential,
    reset_password,
    save_credential,
    unlocked,
    update_credential,
)
from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal, missing
from fleetrig.reference_server.platforms.kura.state.records import Credential, CredentialStatus
from fleetrig.reference_server.platforms.kura.state.users import needed_user


def credential_document(credential: Credential) -> dict[str, Any]:
    members = {
        "userId": credential.user_id,
        "credentialType": credential.credential_type,
        "status": credential.status.value,
        "expirationDate": date(credential.expires_us),
        "loginFailures": credential.login_failures,
        "firstLoginFailure": date(credential.first_failure_us),
        "loginFailuresReset": date(credential.failures_reset_us),
        "lockoutReset": date(credential.lockout_reset_us),
    }
    return entity("credential", credential, members)


def list_all(call: Call) -> Reply:
    user_id = call.parameter("userId")
    found = credentials_of(call.registry, user_id) if user_id else credentials_within(call.registry, call.scope.id)
    own = [one for one in found if one.scope_id == call.scope.id]
    return listed("credential", own, credential_document, paging_of_query(call))


def query(call: Call) -> Reply:
    found = credentials_within(call.registry, call.scope.id)
    return listed("credential", found, credential_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(credentials_within(call.registry, call.scope.id), credential_document, paging_of_body(call))


def list_of_user(call: Call) -> Reply:
    user = needed_user(call.registry, call.scope.id, call.values["user"])
    found = credentials_of(call.registry, user.id)
    return listed("credential", found, credential_document, paging_of_query(call))


def create(call: Call) -> Reply:
    return _created(call, needed_text(call.document, "userId"))


def create_for_user(call: Call) -> Reply:
    return _created(call, call.values["user"])


def read(call: Call) -> Reply:
    return Reply(credential_document(_wanted(call)))


def update(call: Call) -> Reply:
    """Status and date; a password is reset, not updated."""
    credential, asked = _wanted(call), call.document
    expires_us = date_us(asked, "expirationDate") if "expirationDate" in asked else credential.expires_us
    status = word(asked, "status", tuple(CredentialStatus)) or credential.status
    changed = replace(credential, status=CredentialStatus(status), expires_us=expires_us)
    saved = update_credential(call.registry, changed, needed_whole(asked, "optlock"), call.now_us, call.operator.id)
    return Reply(credential_document(saved), changed="credential changed")


def delete(call: Call) -> Reply:
    delete_credential(call.registry, _wanted(call))
    return done("credential deleted")


def unlock(call: Call) -> Reply:
    """POST …/_unlock: failures are forgotten."""
    credential = _wanted(call)
    save_credential(call.registry, replace(unlocked(credential), optlock=credential.optlock + 1))
    return done("credential unlocked")


def reset(call: Call) -> Reply:
    """POST …/users/{user}/credentials/password/_reset."""
    call.learn_password("newPassword")
    user = needed_user(call.registry, call.scope.id, call.values["user"])
    found = next((one for one in credentials_of(call.registry, user.id) if not one.request_id), None)
    if found is None:
        raise missing("credential", user.name)
    password = needed_text(call.document, "newPassword")
    saved = reset_password(call.registry, found, password, call.now_us, call.operator.id)
    return Reply(credential_document(saved), changed=f"password of user {user.name} reset")


def _wanted(call: Call) -> Credential:
    return needed_credential(call.registry, call.scope.id, call.values["credential"])


def _created(call: Call, user_id: str) -> Reply:
    asked = call.document
    call.learn_password("credentialKey")
    user = needed_user(call.registry, call.scope.id, user_id)
    kind = word(asked, "credentialType", (PASSWORD, "API_KEY", "JWT")) or PASSWORD
    if kind != PASSWORD:
        raise illegal("credentialCreator.credentialType", kind, "this server has passwords only")
    if any(not one.request_id for one in credentials_of(call.registry, user.id)):
        error = "The user already has a Credential of type PASSWORD."
        raise Refused(409, "DUPLICATED_PASSWORD_CREDENTIAL", error, f"{user.name}: reset the password it has")
    password = needed_text(asked, "credentialKey")
    check_password(call.registry, password)
    made = new_credential(call.registry, call.scope.id, user.id, password, call.now_us, call.operator.id)
    status = word(asked, "credentialStatus", tuple(CredentialStatus)) or CredentialStatus.ENABLED
    made = replace(made, status=CredentialStatus(status), expires_us=date_us(asked, "expirationDate"))
    save_credential(call.registry, made)
    return created(credential_document(made), f"password of user {user.name} set")
