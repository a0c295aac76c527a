"""Mistakes with tenants, the authorities that they trust, and what is refused as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hono.management import (
    anchor_form,
    api,
    devices_api,
    limit_forms,
    search,
    tenant_form,
    tenants_api,
)
from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.state import tenants
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.platforms.hono.vertx.pages import JSON, error_response
from fleetrig.simulator.contract.http import HttpResponse
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.hono.conformance.mutants import (
    in_each,
    mutant,
    refuses_with,
    replies,
    shows,
    with_traits,
    without,
)


def over_what_is_there(original: Any, registry: Registry, named: str, document: Any, now_us: int) -> Any:
    """A POST that does what a PUT does."""
    if tenants.tenant_by_id(registry, named) is not None:
        return tenants.replace_tenant(registry, named, document, None, now_us)
    return original(registry, named, document, now_us)


def merging(original: Any, registry: Registry, named: str, document: Mapping[str, Any], *more: Any) -> Any:
    """A PUT that leaves alone what it does not name."""
    stored = tenants.tenant_by_id(registry, named)
    return original(registry, named, {**(stored.document if stored else {}), **document}, *more)


def with_old_version(original: Any, registry: Registry, named: str, *more: Any) -> Any:
    """A PUT that tells the version of before."""
    stored = tenants.tenant_by_id(registry, named)
    changed = original(registry, named, *more)
    return changed if stored is None else replace(changed, version=stored.version)


def not_if_disabled(original: Any, *asked: Any) -> Any:
    tenant = original(*asked)
    if not tenant.is_enabled:
        raise Refused(403, "tenant is disabled", "")
    return tenant


def each_a_new_id(registry: Registry, document: Mapping[str, Any]) -> Mapping[str, Any]:
    anchors = [{**anchor, "id": registry.new_uuid()} for anchor in document.get("trusted-ca", ())]
    return {**document, "trusted-ca": anchors} if anchors else document


def by_number(original: Any, registry: Registry, document: Mapping[str, Any]) -> Mapping[str, Any]:
    anchors = [{"id": str(at), **anchor} for at, anchor in enumerate(document.get("trusted-ca", ()))]
    return original(registry, {**document, "trusted-ca": anchors} if anchors else document)  # type: ignore[no-any-return]


def on_unless_said(original: Any, value: Any, where: str, **more: Any) -> Any:
    return original({"enabled": True, **value}, where, **more)


def on_if_unsaid(original: Any, value: Any, where: str) -> Any:
    return True if value is None else original(value, where)


def with_empty_list(document: Any, traits: Any) -> Any:
    return {**ORIGINAL_FORM(document, traits), **({"trusted-ca": []} if document.get("trusted-ca") == [] else {})}


ORIGINAL_FORM = tenant_form.read_tenant


def as_text(response: HttpResponse) -> HttpResponse:
    headers = tuple((name, "text/plain" if value == JSON else value) for name, value in response.headers)
    return replace(response, headers=headers)


def without_allow(original: Any, request: Any, allow: Any) -> Any:
    return replace(original(request, allow), headers=())


def backwards(original: Any, name: Any) -> str:
    return ",".join(reversed(original(name).split(",")))


def read_as(change: Callable[[str | None], str | None]) -> Callable[[Any], Any]:
    """A property whose value is taken for something else."""
    return lambda original: property(lambda self: change(original.fget(self)))


MUTANTS = (
    # what is told of what was made
    mutant("a place with a host", "R01 R02 R23",
           replies(lambda one: replace(one, location=f"http://a{one.location}"), to=201)),
    mutant("a version in quotes", "R02 R18 R20 R31",
           replies(lambda one: replace(one, version=f'"{one.version}"'), to=204),
           replies(lambda one: replace(one, version=f'"{one.version}"'), to=201), spares="R21"),
    mutant("no version after a change", "R18 R20 R40",
           replies(lambda one: replace(one, version=""), to=204), spares="R02"),
    mutant("no version when shown", "R01 R09 R19 R27", replies(lambda one: replace(one, version=""), to=200)),
    mutant("a tenant without a body is refused", "R01", with_traits(creates_without_body=False), spares="R02"),
    mutant("ids are numbers", "R01 R23", replies(lambda one: replace(one, document={"id": 17}), to=201), spares="R21"),
    # tenants
    mutant("a tenant is made over another one", "R03",
           (tenants_api, "create_tenant", instead(over_what_is_there)), spares="R02"),
    mutant("any id will do", "R04 R26", with_traits(checks_ids=False)),
    mutant("members that there are not are ignored", "R05 R28", with_traits(refuses_unknown_members=False)),
    mutant("any content type will do", "R06", (Call, "_check_type", giving(None))),
    mutant("no JSON is the server's fault", "R07", refuses_with(500, "Invalid JSON"), spares="R06"),
    mutant("null is an empty body of another kind", "R07 R31", refuses_with(422, "Null body")),
    mutant("an array is the server's fault", "R07", with_traits(crashes=True), spares="R06"),
    mutant("a body may be as large as it likes", "R08", settings=Settings(registry_body_bytes=1 << 20)),
    mutant("a body ends a byte too soon", "R08", settings=Settings(registry_body_bytes=2047)),
    mutant("certificates are shown", "R09",
           shows(in_each("trusted-ca", lambda one: {**one, "cert": "MIIB"})), spares="R10"),
    mutant("adapters are on unless they are said to be off", "R17", (tenant_form, "_adapter", instead(on_unless_said))),
    mutant("no adapters are all adapters", "R17",
           (tenant_form, "_adapters", being(lambda value, where, strict: list(value)))),
    mutant("a PUT changes single members", "R18", (tenants_api, "replace_tenant", instead(merging)), spares="R02"),
    mutant("a PUT tells the old version", "R18 R20", (tenants_api, "replace_tenant", instead(with_old_version))),
    mutant("any version of a tenant will do", "R19 R20", (tenants, "check_version", giving(None)), spares="R32"),
    mutant("a star stands for any version", "R19",
           (Call, "version", read_as(lambda said: None if said == "*" else said)), spares="R20"),
    mutant("a quoted version is one", "R19",
           (Call, "version", read_as(lambda said: said and said.strip('"'))), spares="R20"),
    mutant("what there is not is gone", "R05 R21 R55", refuses_with(410, "no such tenant"), spares="R09"),
    mutant("devices outlive their tenant", "R22 R25", with_traits(needs_tenant=False)),
    mutant("several tenants have one alias", "R60", with_traits(knows_aliases=False), spares="R13"),
    mutant("an alias is hidden", "R60", shows(without("alias"))),
    mutant("no authorities are a list of none", "R61", (tenants_api, "read_tenant", being(with_empty_list))),
    mutant("a search tells all that it has", "R35 R64", (search, "page_size", giving(200))),
    mutant("a search of tenants hides their ids", "R64", shows(in_each("result", without("id")))),
    mutant("any number of devices may be allowed", "R65",
           (limit_forms, "at_least", instead(lambda original, least, *more, **bits: original(-10**6, *more, **bits)))),
    mutant("limits are not shown", "R65", shows(without("registration-limits"))),
    mutant("a disabled tenant has no devices", "R67",
           (devices_api, "existing_tenant", instead(not_if_disabled)), spares="R22"),
    # authorities
    mutant("every key is RSA", "R10", shows(in_each("trusted-ca", lambda one: {**one, "algorithm": "RSA"}))),
    mutant("names begin at the root", "R10", (anchor_form, "rfc2253_of", instead(backwards))),
    mutant("authorities provision unless they are said not to", "R10",
           (anchor_form, "flag", instead(on_if_unsaid))),
    mutant("an authority needs no key", "R11",
           (anchor_form, "_check_key", giving(None)), (tenants, "_put_anchors", giving(None))),
    mutant("an authority belongs to everybody", "R12 R13", (tenants, "_check_anchors", giving(None)), spares="R03"),
    mutant("there are no groups", "R13 R63", with_traits(shares_anchors_in_group=False), spares="R12"),
    mutant("ids of authorities are made anew", "R14",
           (tenants, "_with_anchor_ids", being(each_a_new_id)), spares="R15"),
    mutant("ids of authorities are numbers", "R15", (tenants, "_with_anchor_ids", instead(by_number)), spares="R14"),
    mutant("any template will do", "R16", (anchor_form, "_template", being(lambda value, where: value))),
    mutant("templates are not shown", "R16", shows(in_each("trusted-ca", without("auth-id-template")))),
    mutant("names stay as they are given", "R62", (anchor_form, "parsed_rfc2253", being(lambda said: said))),
    mutant("times stay as they are given", "R62",
           (anchor_form, "_time", being(lambda given, name, _: given.get(name)))),
    # errors
    mutant("errors are text", "R04 R21 R55", (api, "error_response", then(as_text)), spares="R09"),
    mutant("nobody is told what else there is", "R55", (api, "wrong_method", instead(without_allow)), spares="R21"),
    mutant("what is no path is told in JSON", "R55",
           (api, "no_page", giving(error_response(404, "no such path")))),
)  # fmt: skip
