"""Users: `/v1/{scope}/users` (spec 5.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import date_us, needed_text, needed_whole, text, word
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
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.records import User, UserStatus
from fleetrig.reference_server.platforms.kura.state.settings import ADMIN_USER
from fleetrig.reference_server.platforms.kura.state.users import (
    create_user,
    delete_user,
    needed_user,
    update_user,
    user_by_name,
    users_of,
)

SHORT: Final = 255
TYPES: Final = ("INTERNAL", "EXTERNAL", "DEVICE")


def user_document(user: User) -> dict[str, Any]:
    members = {
        "name": user.name,
        "status": user.status.value,
        "displayName": user.display_name or None,
        "email": user.email or None,
        "phoneNumber": user.phone_number or None,
        "userType": user.user_type,
        "expirationDate": date(user.expires_us),
    }
    return entity("user", user, members)


def list_all(call: Call) -> Reply:
    name, term = call.parameter("name"), call.parameter("matchTerm")
    named = user_by_name(call.registry, name) if name else None
    found = users_of(call.registry, call.scope.id) if not name else [] if named is None else [named]
    fitting = [one for one in found if one.scope_id == call.scope.id and term in one.name]
    return listed("user", fitting, user_document, paging_of_query(call))


def query(call: Call) -> Reply:
    return listed("user", users_of(call.registry, call.scope.id), user_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(users_of(call.registry, call.scope.id), user_document, paging_of_body(call))


def create(call: Call) -> Reply:
    name = needed_text(call.document, "name", SHORT)
    made = User(
        call.registry.new_id(),
        call.scope.id,
        name,
        created_us=call.now_us,
        created_by=call.operator.id,
        modified_us=call.now_us,
        modified_by=call.operator.id,
    )
    user = create_user(call.registry, _told(call, made))
    return created(user_document(user), f"user {user.name} created")


def read(call: Call) -> Reply:
    return Reply(user_document(_wanted(call)))


def update(call: Call) -> Reply:
    """The name stays, as in Kapua."""
    user = _told(call, _wanted(call))
    saved = update_user(call.registry, user, needed_whole(call.document, "optlock"), call.now_us, call.operator.id)
    return Reply(user_document(saved), changed=f"user {saved.name} changed")


def delete(call: Call) -> Reply:
    user = _wanted(call)
    if user.name == ADMIN_USER:
        why = f"Operation not allowed: the user {user.name} cannot be deleted."
        raise Refused(500, "OPERATION_NOT_ALLOWED", why, why)
    delete_user(call.registry, user)
    return done(f"user {user.name} deleted")


def _wanted(call: Call) -> User:
    return needed_user(call.registry, call.scope.id, call.values["user"])


def _told(call: Call, user: User) -> User:
    """What a document says of a user; what it does not say stays."""
    asked = call.document
    expires_us = date_us(asked, "expirationDate") if "expirationDate" in asked else user.expires_us
    return replace(
        user,
        status=UserStatus(word(asked, "status", tuple(UserStatus)) or user.status),
        user_type=word(asked, "userType", TYPES) or user.user_type,
        display_name=_kept(text(asked, "displayName", SHORT), user.display_name),
        email=_kept(text(asked, "email", SHORT), user.email),
        phone_number=_kept(text(asked, "phoneNumber", SHORT), user.phone_number),
        expires_us=expires_us,
    )


def _kept(said: str | None, before: str) -> str:
    return before if said is None else said
