"""Tenants and adapters that are disabled (spec 1.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight
from fleetrig.harness.platforms.hono.doctor.facts import Facts, TenantRecord


def tenant_causes(facts: Facts, tenant: TenantRecord) -> Iterator[Diagnosis]:
    if not tenant.is_enabled:
        yield Diagnosis(
            "tenant-disabled", Weight.CAUSE,
            f"{tenant.at_start} is disabled: 403 over HTTP, CONNACK 5, 4.03 over CoAP.",
            "Enable it.", facts.shell.tenant(tenant.id, ".enabled=true") if tenant.id else (),
        )  # fmt: skip
    yield from _adapter(facts, tenant)


def _adapter(facts: Facts, tenant: TenantRecord) -> Iterator[Diagnosis]:
    adapters = tenant.adapters
    if adapters is None:
        return
    listed = next((one for one in adapters if one.get("type") == facts.adapter), None)
    if listed is not None and listed.get("enabled") is True:
        return
    names = ", ".join(str(one.get("type")) for one in adapters)
    if listed is None:
        cause = (
            f"{tenant.at_start} lists adapters ({names}), and {facts.adapter} is not among them: as "
            "soon as one is listed, all others are disabled."
        )
        change = f'.adapters+=[{{"type":"{facts.adapter}","enabled":true}}]'
    else:
        cause = (
            f"{tenant.at_start} lists the adapter {facts.adapter} without enabled: true, and false is "
            "what counts when it is left out."
        )
        change = f'(.adapters[]|select(.type=="{facts.adapter}")).enabled=true'
    yield Diagnosis(
        "adapter-not-listed" if listed is None else "adapter-disabled", Weight.CAUSE,
        f"{cause} Told as 403, CONNACK 5, 4.03.", f"List {facts.adapter} with enabled: true, or leave adapters out.",
        facts.shell.tenant(tenant.id, change) if tenant.id else (),
    )  # fmt: skip
