"""Who is this device? Three filters, each for its own scheme and only if its tenant has it on (§3).

On the wire every failure is the same bare 401. The reason beside the wire says which of them it was.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, bare
from fleetrig.reference_server.platforms.hawkbit.state.repository import TenantConfig, split_authorities
from fleetrig.simulator.contract.credential_places import shown_scheme

TARGET_TOKEN: Final = "TargetToken "
GATEWAY_TOKEN: Final = "GatewayToken "


def authenticate(call: Call) -> None:
    """Fills in tenant and device from the path. Raises 401 unless one of the filters lets it through."""
    if len(call.segments) < 4 or not call.segments[3]:
        raise bare(401, f"no controllerId in the path {call.path[:200]}: nobody to authenticate")
    tenant, _, _, device = call.segments[:4]
    call.tenant_in_path = unquote(tenant) if "%" in tenant else tenant
    call.tenant = call.tenant_in_path.upper()
    call.device = call.user = unquote(device) if "%" in device else device
    trusted = call.settings.trusted_ips
    if trusted and call.session.peer not in trusted:
        raise bare(401, f"peer {call.session.peer} is not one of the trusted IPs {', '.join(trusted)}")
    config = call.config
    why: list[str] = []
    if _by_header(call, config, why):
        return
    authorization = call.headers.get("authorization", "")
    if authorization.startswith(TARGET_TOKEN):
        if _by_target_token(call, config, authorization[len(TARGET_TOKEN) :], why):
            return
    elif authorization.startswith(GATEWAY_TOKEN):
        if _by_gateway_token(call, config, authorization[len(GATEWAY_TOKEN) :], why):
            return
    else:
        why.append(_about_scheme(authorization))
    raise _refused(call, why)


def _same(secret: str, presented: str) -> bool:
    """In constant time; a header may hold any byte."""
    return compare_digest(secret.encode("utf-8", "replace"), presented.encode("utf-8", "surrogateescape"))


def _by_target_token(call: Call, config: TenantConfig, token: str, why: list[str]) -> bool:
    if not config.target_token_on:
        why.append(_mode_off("target token", "authentication.targettoken.enabled", call))
        return False
    target = call.repo.target(call.tenant, call.device)
    if target is None:
        why.append(f"no such target: {call.device}, and target tokens never create one: POST /rest/v1/targets first")
        return False
    if not _same(target.token, token):
        hint = " (one blank between scheme and token)" if token.startswith(" ") else ""
        why.append(f"target {call.device} exists, token differs{hint}")
        return False
    return True


def _by_gateway_token(call: Call, config: TenantConfig, token: str, why: list[str]) -> bool:
    if not config.gateway_token_on:
        why.append(_mode_off("gateway token", "authentication.gatewaytoken.enabled", call))
        return False
    if not config.gateway_key:
        why.append("the gateway key was never set: PUT /rest/v1/system/configs/authentication.gatewaytoken.key")
        return False
    if not _same(config.gateway_key, token):
        why.append(f"gateway token differs from the key of tenant {call.tenant}")
        return False
    return True


def _by_header(call: Call, config: TenantConfig, why: list[str]) -> bool:
    """The certificate that a reverse proxy checked, as headers (§3.3)."""
    identity_name, authority_name = call.repo.certificate_headers
    identity = call.headers.get(identity_name)
    if identity is None:
        return False
    if identity != call.device:
        why.append(f"{identity_name} is {identity[:100]!r}, the path says {call.device!r}")
        return False
    if not config.header_on:
        why.append(_mode_off("certificate header", "authentication.header.enabled", call))
        return False
    presented = _presented_authorities(call, authority_name)
    if not presented:
        why.append(f"{identity_name} is right, but there is no {authority_name} header")
        return False
    if not config.authorities.intersection(presented):
        why.append(f"none of the authorities {', '.join(presented)[:200]} is trusted by tenant {call.tenant}")
        return False
    return True


def _presented_authorities(call: Call, name: str) -> list[str]:
    """One header with a list, or numbered headers from 0 or 1 to the first gap. Before 1.0 numbered from 1 only."""
    listed = call.headers.get(name)
    if listed is not None and not call.traits.authorities_are_numbered:
        return split_authorities(listed, call.settings.authority_separator)
    number = 0 if f"{name}-0" in call.headers and not call.traits.authorities_are_numbered else 1
    found = []
    while (value := call.headers.get(f"{name}-{number}")) is not None:
        found.append(value.lower())
        number += 1
    return found


def _mode_off(mode: str, key: str, call: Call) -> str:
    return (
        f'{mode} mode is off for tenant {call.tenant}: PUT /rest/v1/system/configs/{key} {{"value": true}} turns it on'
    )


def _about_scheme(authorization: str) -> str:
    scheme = authorization.partition(" ")[0]
    if not authorization:
        return "no Authorization header"
    if scheme.lower() in {"targettoken", "gatewaytoken"} and scheme not in {"TargetToken", "GatewayToken"}:
        return f"the scheme is case-sensitive: {scheme!r} is neither TargetToken nor GatewayToken"
    if scheme.lower() == "basic":
        return "Basic credentials are for the management interface, devices send TargetToken or GatewayToken"
    return f"unknown scheme {shown_scheme(authorization)}: expected 'TargetToken <token>' or 'GatewayToken <key>'"


def _refused(call: Call, why: list[str]) -> HawkbitError:
    if call.repo.tenant(call.tenant) is None:
        has_account = any(account.tenant == call.tenant for account in call.settings.accounts)
        # such a tenant is made by the first request of its operator
        missing = "has not been used yet" if has_account else "does not exist (a typo?)"
        why.append(f"tenant {call.tenant_in_path[:50]} {missing}, server defaults apply")
    return bare(401, "; ".join(why))
