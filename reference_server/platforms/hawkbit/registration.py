"""How a target comes into being by itself (§3.4), and what every target gets at birth."""

from __future__ import annotations

from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.dos_filter import client_address
from reference_server.platforms.hawkbit.errors import violations
from reference_server.platforms.hawkbit.records import TENANT, Target, Tenant, UpdateStatus
from reference_server.platforms.hawkbit.repository import Repository

PLUG_AND_PLAY = "CONTROLLER_PLUG_AND_PLAY"
TOKEN_BYTES = 16
ID_SEQUENCE = "hawkbit"


def register(call: Call) -> Target:
    """Creates the target of a device that a gateway token or a certificate vouches for. Raises 400 for a bad id."""
    broken = _broken_rules(call.device)
    if broken:
        raise violations(broken)
    open_tenant(call.repo, call.tenant)
    target = Target(
        controller_id=call.device,
        id=call.repo.store.next_id(ID_SEQUENCE),
        name=call.device,
        description=f"Plug and Play target: {call.device}",
        token=new_token(call.repo),
        created_by=PLUG_AND_PLAY,
        created_at_ms=call.now_ms,
        modified_by=PLUG_AND_PLAY,
        modified_at_ms=call.now_ms,
        update_status=UpdateStatus.REGISTERED.value,
        address=address_of(call),
    )
    call.repo.save(call.tenant, target)
    call.repo.polled(call.tenant, call.device, call.now_ms)
    return target


def new_token(repo: Repository) -> str:
    """32 lower-case hex characters, masked from now on."""
    token = repo.entropy.token_hex(TOKEN_BYTES)
    repo.learn("target-token", token)
    return token


def address_of(call: Call) -> str:
    """What is stored as a device's address; `http://***` when tracking is off."""
    settings = call.settings
    if not settings.track_remote_ip:
        return "http://***"
    address = client_address(call.headers, call.session.peer, settings.remote_ip_header.lower())
    return f"http://[{address}]" if ":" in address else f"http://{address}"


def open_tenant(repo: Repository, name: str) -> Tenant:
    """The tenant's record, made at its first use."""
    tenant = repo.tenant(name)
    if tenant is None:
        tenant = Tenant(name)
        repo.store.put(TENANT, name, tenant)
    return tenant


def _broken_rules(controller_id: str) -> list[str]:
    """Markup is not refused here, other than through Mgmt, and a name is not cut (§3.4)."""
    broken = []
    if any(char.isspace() for char in controller_id):
        broken.append("controllerId has whitespaces which are not allowed.")
    if len(controller_id) > 256:
        broken.append("controllerId size must be between 1 and 256.")
    if len(controller_id) > 128:
        broken.append("name size must be between 1 and 128.")
    return broken
