"""Who can log in: administrators of the installation and of tenants, users of customers (UserController)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, denied, invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.contacts import check_email
from fleetrig.reference_server.platforms.thingsboard.rest.forms import user_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import customer_at, member_id, tenant_at, user_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, whole_number, word
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode, old_version
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_text
from fleetrig.reference_server.platforms.thingsboard.state.people import (
    create_user,
    customer_by_id,
    delete_user,
    save_user,
    user_by_email,
    users_of,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import NULL_UUID, Authority, User

LINK_CHARS: Final = 30
"""Of the token in an activation link."""
NO_MAIL: Final = "Couldn't send user activation email"


def save(call: Call) -> Reply:
    """POST /api/user?sendActivationMail=: an account that its activation link brings to life, or with an `id` the
    changed one. There is no mail server, as on a fresh installation: who wants a mail sent gets no account."""
    body = call.object
    user_id = member_id(body, "id")
    if user_id is not None:
        return _change(call, body, user_at(call, user_id, writes=True))
    user = _new(call, body)
    create_user(call.registry, user)
    if call.query.get("sendActivationMail", "true") != "false":
        why = "there is no mail server here: create the user with ?sendActivationMail=false, and ask for its link"
        raise HttpRefusal(500, NO_MAIL, reason=why, code=ErrorCode.GENERAL)
    return Reply(document=user_form(user), changed="user created")


def read(call: Call, user_id: str) -> Reply:
    """GET /api/user/{id}: with what is known of its login."""
    user = user_at(call, user_id)
    is_active = user.password_hash is not None
    login = {"userCredentialsEnabled": is_active, "userActivated": is_active, "lastLoginTs": user.last_login_ms}
    form = user_form(user)
    return Reply(document={**form, "additionalInfo": {**(form["additionalInfo"] or {}), **login}})


def read_myself(call: Call) -> Reply:
    """GET /api/auth/user: who has logged in."""
    return Reply(document=user_form(call.operator))


def read_all(call: Call) -> Reply:
    """GET /api/users: a tenant's, or those of the caller's customer."""
    caller = call.operator
    users = users_of(call.registry, caller.tenant_id)
    seen = (user for user in users if caller.customer_id in (None, user.customer_id))
    return Reply(document=page_of(call, map(user_form, seen), "email"))


def read_of_customer(call: Call, customer_id: str) -> Reply:
    """GET /api/customer/{id}/users."""
    customer = customer_at(call, customer_id)
    users = (user for user in users_of(call.registry, customer.tenant_id) if user.customer_id == customer.id)
    return Reply(document=page_of(call, map(user_form, users), "email"))


def read_administrators(call: Call, tenant_id: str) -> Reply:
    """GET /api/tenant/{id}/users."""
    users = users_of(call.registry, tenant_at(call, tenant_id).id)
    return Reply(document=page_of(call, (user_form(user) for user in users if _administers(user)), "email"))


def delete(call: Call, user_id: str) -> Reply:
    """DELETE /api/user/{id}: not oneself as the installation's administrator, nor the last one of a tenant."""
    user = user_at(call, user_id, writes=True)
    if user.authority is Authority.SYS_ADMIN and user.id == call.operator.id:
        reason = "who administers the installation cannot delete himself"
        raise HttpRefusal(403, "Sysadmin is not allowed to delete himself", reason=reason)
    if _administers(user) and sum(map(_administers, users_of(call.registry, user.tenant_id))) == 1:
        raise invalid("At least one tenant administrator must remain!")
    delete_user(call.registry, user)
    return Reply(changed="user deleted")


def activation_link(call: Call, user_id: str) -> Reply:
    """GET /api/user/{id}/activationLink: as text."""
    user = user_at(call, user_id)
    if user.activation_token is None:
        raise invalid("User is already activated!")
    link = f"{call.request.origin}/api/noauth/activate?activateToken={user.activation_token}"
    return Reply(text=link, text_type="text/plain;charset=UTF-8")


def _administers(user: User) -> bool:
    return user.authority is Authority.TENANT_ADMIN


def _new(call: Call, body: dict[str, Any]) -> User:
    email, authority = text(body, "email") or "", word(body, "authority", Authority)
    tenant_id = _tenant_id(call, body)
    _check_right(call, authority)
    _check_account(call, email)
    if authority is None:
        raise invalid("User authority isn't defined!")
    customer_id = _customer_id(call, tenant_id, member_id(body, "customerId"), authority)
    new = User(call.registry.new_id(call.now_us), tenant_id, call.now_ms, email, authority, customer_id)
    return replace(_filled(body, new), activation_token=call.registry.new_word(LINK_CHARS))


def _change(call: Call, body: dict[str, Any], stored: User) -> Reply:
    email, authority = text(body, "email") or "", word(body, "authority", Authority)
    _check_account(call, email, stored.id)
    if authority is None:
        raise invalid("User authority isn't defined!")
    customer_id = _customer_id(call, stored.tenant_id, member_id(body, "customerId"), authority)
    if authority is not stored.authority:
        raise invalid("Can't update user authority!")
    if customer_id != stored.customer_id:
        raise invalid("Can't update user customer id!")
    if whole_number(body, "version") not in (None, stored.version):
        raise old_version("User")
    saved = replace(_filled(body, stored), email=email, version=stored.version + 1)
    save_user(call.registry, saved)
    return Reply(document=user_form(saved), changed="user changed")


def _filled(body: Mapping[str, Any], user: User) -> User:
    filled = replace(
        user,
        first_name=text(body, "firstName"),
        last_name=text(body, "lastName"),
        phone=text(body, "phone"),
        additional_info=mapping(body, "additionalInfo"),
    )
    check_text("firstName", filled.first_name, called="first name")
    check_text("lastName", filled.last_name, called="last name")
    return filled


def _tenant_id(call: Call, body: dict[str, Any]) -> str:
    """Whose user it is: an administrator of the installation says it, all others have theirs."""
    if call.operator.authority is not Authority.SYS_ADMIN:
        return call.operator.tenant_id
    return member_id(body, "tenantId") or NULL_UUID


def _check_right(call: Call, wanted: Authority | None) -> None:
    """Who may make whom. Raises 403."""
    may_not = {
        Authority.SYS_ADMIN: (Authority.CUSTOMER_USER,),
        Authority.TENANT_ADMIN: (Authority.SYS_ADMIN,),
        Authority.CUSTOMER_USER: (*Authority, None),
    }
    if wanted in may_not[call.operator.authority]:
        raise denied(f"{call.operator.authority} may not make a user with the authority {wanted}")


def _check_account(call: Call, email: str, user_id: str = "") -> None:
    if not email:
        raise invalid("User email should be specified!")
    check_email(email)
    holder = user_by_email(call.registry, email)
    if holder is not None and holder.id != user_id:
        raise invalid(f"User with email '{email}' already present in database!")


def _customer_id(call: Call, tenant_id: str, given: str | None, authority: Authority) -> str | None:
    """Whom the user belongs to within the tenant. Raises 400 for what does not go together."""
    is_of_customer, is_of_tenant = given not in (None, NULL_UUID), tenant_id != NULL_UUID
    match authority:
        case Authority.SYS_ADMIN if is_of_tenant or is_of_customer:
            raise invalid("System administrator can't be assigned neither to tenant nor to customer!")
        case Authority.TENANT_ADMIN if not is_of_tenant:
            raise invalid("Tenant administrator should be assigned to tenant!")
        case Authority.TENANT_ADMIN if is_of_customer:
            raise invalid("Tenant administrator can't be assigned to customer!")
        case Authority.CUSTOMER_USER if not is_of_tenant or not is_of_customer:
            raise invalid("Customer user should be assigned to customer!")
    if is_of_tenant:
        tenant_at(call, tenant_id, refusal="User is referencing to non-existent tenant!")
    customer = customer_by_id(call.registry, given) if given is not None and is_of_customer else None
    if is_of_customer and customer is None:
        raise invalid("User is referencing to non-existent customer!")
    if customer is not None and customer.tenant_id != tenant_id:
        raise invalid("User can't be assigned to customer from different tenant!")
    return None if customer is None else customer.id
