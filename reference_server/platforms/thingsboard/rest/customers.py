"""Customers of a tenant: made, changed, read and deleted by its administrator (CustomerController)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import missing
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.contacts import contact_of
from fleetrig.reference_server.platforms.thingsboard.rest.forms import customer_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import customer_at, member_id
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, whole_number
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.people import (
    create_customer,
    customer_titled,
    customers_of,
    delete_customer,
    save_customer,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import Customer


def save(call: Call) -> Reply:
    """POST /api/customer: a new one, or with an `id` the changed one."""
    body = call.object
    customer_id = member_id(body, "id")
    if customer_id is None:
        new = Customer(call.registry.new_id(call.now_us), call.operator.tenant_id, call.now_ms, "")
        made = create_customer(call.registry, _filled(body, new))
        return Reply(document=customer_form(made), changed=f"customer {made.title} created")
    changed = _filled(body, customer_at(call, customer_id))
    saved = save_customer(call.registry, changed, whole_number(body, "version"))
    return Reply(document=customer_form(saved), changed=f"customer {saved.title} changed")


def read(call: Call, customer_id: str) -> Reply:
    """GET /api/customer/{id}."""
    return Reply(document=customer_form(customer_at(call, customer_id)))


def read_all(call: Call) -> Reply:
    """GET /api/customers."""
    customers = customers_of(call.registry, call.operator.tenant_id)
    return Reply(document=page_of(call, map(customer_form, customers), "title"))


def read_titled(call: Call) -> Reply:
    """GET /api/tenant/customers?customerTitle=."""
    title = call.needed("customerTitle", "String")
    found = customer_titled(call.registry, call.operator.tenant_id, title)
    if found is None:
        raise missing(f"Customer with title [{title}] is not found", reason="the tenant has no customer of this title")
    return Reply(document=customer_form(found))


def delete(call: Call, customer_id: str) -> Reply:
    """DELETE /api/customer/{id}: its users go with it, its devices stay and are nobody's."""
    customer = customer_at(call, customer_id)
    delete_customer(call.registry, customer)
    return Reply(changed=f"customer {customer.title} deleted")


def _filled(body: Mapping[str, Any], customer: Customer) -> Customer:
    return replace(
        customer,
        title=text(body, "title") or "",
        contact=contact_of(body),
        additional_info=mapping(body, "additionalInfo"),
    )
