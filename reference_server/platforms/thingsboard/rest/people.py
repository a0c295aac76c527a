"""A tenant's customers and their users, as far as claiming needs them (section 3.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import customer_form, user_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import customer_at, member_id, user_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, word
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name
from fleetrig.reference_server.platforms.thingsboard.state.people import (
    customer_titled,
    save_customer,
    save_user,
    user_by_email,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import Authority, Customer, User

LINK_CHARS: Final = 30
"""Of the token in an activation link."""


def create_customer(call: Call) -> Reply:
    """POST /api/customer."""
    body = call.object
    title = text(body, "title")
    check_name("Customer title", title)
    assert title is not None, "checked"
    if customer_titled(call.registry, call.operator.tenant_id, title) is not None:
        raise invalid("Customer with such title already exists!")
    made = Customer(
        call.registry.new_id(call.now_us), call.operator.tenant_id, call.now_ms, title, mapping(body, "additionalInfo")
    )
    save_customer(call.registry, made)
    return Reply(document=customer_form(made), changed=f"customer {title} created")


def read_customer(call: Call, customer_id: str) -> Reply:
    """GET /api/customer/{id}."""
    return Reply(document=customer_form(customer_at(call, customer_id)))


def create_user(call: Call) -> Reply:
    """POST /api/user: an account that its activation link brings to life. No mail is sent."""
    body = call.object
    email, authority = text(body, "email") or "", word(body, "authority", Authority)
    _check_account(call, email, authority)
    assert authority is not None, "checked"
    user = User(
        call.registry.new_id(call.now_us),
        call.operator.tenant_id,
        call.now_ms,
        email,
        authority,
        _customer_id(call, body, authority),
        activation_token=call.registry.new_word(LINK_CHARS),
        first_name=text(body, "firstName"),
        last_name=text(body, "lastName"),
        additional_info=mapping(body, "additionalInfo"),
    )
    save_user(call.registry, user)
    return Reply(document=user_form(user), changed="user created")


def read_user(call: Call, user_id: str) -> Reply:
    """GET /api/user/{id}."""
    return Reply(document=user_form(user_at(call, user_id)))


def read_myself(call: Call) -> Reply:
    """GET /api/auth/user: who has logged in."""
    return Reply(document=user_form(call.operator))


def activation_link(call: Call, user_id: str) -> Reply:
    """GET /api/user/{id}/activationLink: as text."""
    user = user_at(call, user_id)
    if user.activation_token is None:
        raise invalid("User is already activated!")
    link = f"{call.request.origin}/api/noauth/activate?activateToken={user.activation_token}"
    return Reply(text=link, text_type="text/plain;charset=UTF-8")


def _check_account(call: Call, email: str, authority: Authority | None) -> None:
    if not email.strip():
        raise invalid("User email should be specified!")
    name, at, host = email.rpartition("@")
    if not (name and at and host):
        raise invalid(f"Invalid email address format '{email}'!")
    if authority is None:
        raise invalid("User authority isn't defined!")
    if user_by_email(call.registry, email) is not None:
        raise invalid(f"User with email '{email}' already present in database!")


def _customer_id(call: Call, body: dict[str, Any], authority: Authority) -> str | None:
    if authority is not Authority.CUSTOMER_USER:
        return None
    given = member_id(body, "customerId")
    if given is None:
        raise invalid("Customer user should be assigned to customer!")
    return customer_at(call, given).id
