"""How a target comes into being by itself (§3.4), and what every target gets at birth."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError, violations
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, Target, UpdateStatus
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.reference_server.platforms.hawkbit.state.tenants import open_tenant

TOKEN_BYTES = 16


def register(call: Call) -> Target:
    """Creates the target of a device that a gateway token or a certificate vouches for. Raises 400 for a bad id."""
    broken = _broken_rules(call.device)
    if broken:
        raise violations(broken)
    _open_for_device(call)
    creator = call.traits.self_made_by
    target = Target(
        controller_id=call.device,
        id=call.repo.store.next_id(TARGET.name),
        name=call.device,
        description=f"Plug and Play target: {call.device}",
        token=new_token(call.repo),
        created_by=creator,
        created_at_ms=call.now_ms,
        modified_by=creator,
        modified_at_ms=call.now_ms,
        update_status=UpdateStatus.REGISTERED.value,
        address=address_of(call),
    )
    call.repo.save(call.tenant, target)
    call.note_poll()
    return target


def _open_for_device(call: Call) -> None:
    """A device may open a tenant only where the server allows it (S123)."""
    if call.repo.tenant(call.tenant) is None and not call.settings.implicit_tenant_creation:
        java_class = REPOSITORY + "TenantNotExistException"
        reason = f"tenant {call.tenant} does not exist and devices may not create it"
        raise HawkbitError(
            400, "repo.tenantNotExists", java_class, f"Tenant {call.tenant} does not exist.", reason=reason
        )
    open_tenant(call.repo, call.tenant, call.now_us)


def new_token(repo: Repository) -> str:
    """32 lower-case hex characters, masked from now on."""
    token = repo.entropy.token_hex(TOKEN_BYTES)
    repo.learn("target-token", token)
    return token


def address_of(call: Call) -> str:
    """What is stored as a device's address; `http://***` when tracking is off."""
    if not call.settings.track_remote_ip:
        return "http://***"
    return f"http://[{call.address}]" if ":" in call.address and "." not in call.address else f"http://{call.address}"


def _broken_rules(controller_id: str) -> list[str]:
    """Markup is not refused here, other than through Mgmt, and a name is not cut (§3.4)."""
    return [
        *rules.broken_whitespace(controller_id),
        *rules.broken_size("controllerId", controller_id, 1, 256),
        *rules.broken_size("name", controller_id, 1, 128),
    ]
