"""Software modules, distribution sets and their types: looking them up, and the rules they obey (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ARTIFACT,
    MODULE,
    MODULE_TYPE,
    SET,
    SET_TAG,
    SET_TYPE,
    Artifact,
    DistributionSet,
    ModuleType,
    SetType,
    SoftwareModule,
)
from fleetrig.reference_server.platforms.hawkbit.state.context import Context, need
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    forbidden,
    invalid,
    not_found,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.java_order import entity_hash, in_hash_order, type_element_hash
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository

SYSTEM: Final = "system"
MANY: Final = 2**31 - 1
"""`maxAssignments` of a type of which a set takes any number."""
DEFAULT_SET_TYPE: Final = "os_app"
LOCKING: Final = "UPDATE_DISTRIBUTION_SET"
UNLOCKING_TAGS: Final = frozenset(
    {"skip-implicit-lock", "skip_implicit_lock", "SKIP_IMPLICIT_LOCK", "SKIP-IMPLICIT-LOCK"}
)
JAVA_MODELS: Final = "org.eclipse.hawkbit.repository.jpa.model."


def create_types(ctx: Context) -> None:
    """Gives a new tenant the types that a fresh one has."""
    application = _seed_module_type(ctx, "application", "Application", "Application Addons", MANY)
    os = _seed_module_type(ctx, "os", "OS", "Core firmware or operating system", 1)
    _seed_set_type(ctx, "os", "OS only", "Default type with Firmware/OS only.", (os,))
    _seed_set_type(ctx, "app", "App(s) only", "Default type with app(s) only.", (application,))
    _seed_set_type(
        ctx, "os_app", "OS with app(s)", "Default type with Firmware/OS and optional app(s).", (os,), (application,)
    )


def _seed_module_type(ctx: Context, key: str, name: str, description: str, max_assignments: int) -> int:
    type_id = ctx.repo.store.next_id(MODULE_TYPE.name)
    record = ModuleType(
        id=type_id, key=key, name=name, description=description, max_assignments=max_assignments,
        created_by=SYSTEM, created_at_ms=ctx.now_ms, modified_by=SYSTEM, modified_at_ms=ctx.now_ms,
    )  # fmt: skip
    ctx.repo.store.put(MODULE_TYPE, ctx.tenant, record)
    return type_id


def _seed_set_type(
    ctx: Context, key: str, name: str, description: str, mandatory: tuple[int, ...], optional: tuple[int, ...] = ()
) -> None:
    record = SetType(
        id=ctx.repo.store.next_id(SET_TYPE.name), key=key, name=name, description=description, mandatory=mandatory,
        optional=optional, created_by=SYSTEM, created_at_ms=ctx.now_ms, modified_by=SYSTEM, modified_at_ms=ctx.now_ms,
    )  # fmt: skip
    ctx.repo.store.put(SET_TYPE, ctx.tenant, record)


def module_type(ctx: Context, key: str | None) -> ModuleType:
    """The type of new modules. Raises 404, and 400 for no key at all and for the key of a deleted type."""
    kind = find_module_type(ctx, key)
    if kind is not None and kind.deleted:
        raise invalid(f"Cannot create Software Module from type with key {key}. Software Module Type already deleted!")
    if kind is None:
        kind = find_module_type(ctx, rules.trimmed(key))
    if kind is None:
        raise not_found("SoftwareModuleType", rules.trimmed(key))
    return kind


def find_module_type(ctx: Context, key: str | None) -> ModuleType | None:
    """Also a deleted one. Raises 400 for no key at all."""
    return next(iter(ctx.repo.store.find(MODULE_TYPE, ctx.tenant, "key", _key(key))), None)


def set_type(ctx: Context, key: str) -> SetType:
    """The type of new sets. Raises 404, and 400 for no key at all and for the key of a deleted type."""
    found = ctx.repo.store.find(SET_TYPE, ctx.tenant, "key", _key(key))
    if not found:
        raise not_found("DistributionSetType", key)
    if found[0].deleted:
        raise invalid(
            f"Cannot create Distribution Set from type with key {key}. Distribution Set Type already deleted!"
        )
    return found[0]


def _key(key: str | None) -> str:
    if not key:
        raise violations(["findByKey.key must not be empty."])
    return key


def default_set_type(ctx: Context) -> SetType:
    """The type of a set that names none: the tenant's `default.ds.type`."""
    tenant = ctx.repo.tenant(ctx.tenant)
    if tenant is not None and tenant.default_set_type_id is not None:
        return need_set_type(ctx, tenant.default_set_type_id)
    return set_type(ctx, DEFAULT_SET_TYPE)


def need_module_type(ctx: Context, type_id: int) -> ModuleType:
    return need(ctx, MODULE_TYPE, type_id, "SoftwareModuleType")


def need_set_type(ctx: Context, type_id: int) -> SetType:
    return need(ctx, SET_TYPE, type_id, "DistributionSetType")


def need_module(ctx: Context, module_id: int) -> SoftwareModule:
    """A module, also a deleted one that is still in use. Raises 404."""
    return need(ctx, MODULE, module_id, "SoftwareModule")


def need_set(ctx: Context, set_id: int) -> DistributionSet:
    """A set, also a deleted one that is still in use. Raises 404."""
    return need(ctx, SET, set_id, "DistributionSet")


def need_valid_set(ctx: Context, set_id: int) -> DistributionSet:
    """A set that can still be changed or assigned. Raises 404, also for a deleted one, and 400 for an invalid one."""
    record = need_set(ctx, set_id)
    if record.deleted:
        raise deleted("DistributionSet", set_id)
    if not record.valid:
        key = need_set_type(ctx, record.type_id).key
        raise invalid_set(f"Distribution set of type {key} is invalid: {set_id}")
    return record


def invalid_set(message: str) -> HawkbitError:
    """400: invalidated by an operator."""
    return HawkbitError(400, "distributionset.invalid", REPOSITORY + "InvalidDistributionSetException", message)


def need_complete_set(ctx: Context, set_id: int) -> DistributionSet:
    """A set that can be assigned. Raises as `need_valid_set`, and 400 when a mandatory module is missing (S132)."""
    record = need_valid_set(ctx, set_id)
    if not is_complete_set(ctx, record):
        raise incomplete_set(ctx, record)
    return record


def incomplete_set(ctx: Context, record: DistributionSet) -> HawkbitError:
    """400: a mandatory module is missing, or one lacks its files."""
    java_class = REPOSITORY + "IncompleteDistributionSetException"
    message = f"Distribution set of type {need_set_type(ctx, record.type_id).key} is incomplete: {record.id}"
    return HawkbitError(400, "distributionset.incomplete", java_class, message)


def modules_of(ctx: Context, record: DistributionSet) -> list[SoftwareModule]:
    """A set's modules, in the order in which the server shows them and devices get them."""
    found = (ctx.repo.store.get(MODULE, ctx.tenant, module_id) for module_id in record.module_ids)
    return in_hash_order(
        (module for module in found if module is not None),
        lambda module: entity_hash(JAVA_MODELS + "JpaSoftwareModule", module.id, module.revision, ctx.tenant),
        copied=True,
    )


def types_in_order(ctx: Context, record: SetType, part: Literal["mandatory", "optional"]) -> list[ModuleType]:
    """The module types of a set type, in the order in which the server shows them."""
    elements = sorted([*((one, True) for one in record.mandatory), *((one, False) for one in record.optional)])
    elements = in_hash_order(elements, lambda one: type_element_hash(record.id, one[0], mandatory=one[1]), copied=True)
    return in_hash_order(
        (need_module_type(ctx, type_id) for type_id, is_mandatory in elements if is_mandatory == (part == "mandatory")),
        lambda kind: entity_hash(JAVA_MODELS + "JpaSoftwareModuleType", kind.id, kind.revision, ctx.tenant),
    )


def save_module(ctx: Context, module: SoftwareModule) -> SoftwareModule:
    """Keeps a changed module; its last operator is the caller."""
    module = replace(module, revision=module.revision + 1, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.store.put(MODULE, ctx.tenant, module)
    return module


def artifacts_of(ctx: Context, module_id: int) -> list[Artifact]:
    """A module's files, oldest first."""
    return ctx.repo.store.find(ARTIFACT, ctx.tenant, "module", module_id)


def artifact_named(ctx: Context, module_id: int, filename: str) -> Artifact | None:
    """Upper and lower case are one, and blanks around the name do not count."""
    wanted = rules.trimmed(filename).lower()
    return next((file for file in artifacts_of(ctx, module_id) if file.filename.lower() == wanted), None)


def is_complete_module(ctx: Context, module: SoftwareModule) -> bool:
    """Enough artifacts for its type; the types of a fresh tenant ask for none."""
    least = need_module_type(ctx, module.type_id).min_artifacts
    return least == 0 or ctx.repo.store.count(ARTIFACT, ctx.tenant, "module", module.id) >= least


def is_complete_set(ctx: Context, record: DistributionSet) -> bool:
    """All mandatory types there, at least one module, and every module complete."""
    modules = modules_of(ctx, record)
    present = {module.type_id for module in modules}
    mandatory = need_set_type(ctx, record.type_id).mandatory
    return bool(modules) and present.issuperset(mandatory) and all(is_complete_module(ctx, one) for one in modules)


def lock(ctx: Context, record: DistributionSet) -> DistributionSet:
    """Locks a set and its modules; one that is locked stays as it is."""
    if record.locked:
        return record
    lock_modules(ctx, record)
    record = replace(record, locked=True, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.store.put(SET, ctx.tenant, record)
    return record


def lock_implicitly(ctx: Context, record: DistributionSet) -> None:
    """What is to be given to targets is locked. Raises 403: locking needs the right to change the set."""
    if locks_implicitly(ctx, record):
        if not ctx.may(LOCKING):
            raise forbidden(LOCKING, ctx.user)
        lock(ctx, record)


def locks_implicitly(ctx: Context, record: DistributionSet) -> bool:
    """Unless it is locked already, or the tenant's configuration or a tag of the set says not to."""
    tags = (ctx.repo.store.get(SET_TAG, ctx.tenant, tag_id) for tag_id in record.tag_ids)
    if record.locked or any(tag is not None and tag.name in UNLOCKING_TAGS for tag in tags):
        return False
    return bool(ctx.config.values["implicit.lock.enabled"])


def lock_modules(ctx: Context, record: DistributionSet) -> None:
    for module in modules_of(ctx, record):
        if not module.locked:
            save_module(ctx, replace(module, locked=True))


def label(repo: Repository, tenant: str, set_id: int) -> tuple[str, str] | None:
    """(name, version) of a set."""
    record = repo.store.get(SET, tenant, set_id)
    return None if record is None else (record.name, record.version)


def locked(java_type: str, record_id: int, operation: str, reason: str = "") -> HawkbitError:
    """423 (S132). `operation` is the server's word, such as ADD_ARTIFACT."""
    message = f"{java_type} with given identifier {{{record_id}}} is locked and {operation} is forbidden!"
    return HawkbitError(
        423, "locked", REPOSITORY + "LockedException", message + (f" Reason: {reason}" if reason else "")
    )


def deleted(kind: str, record_id: int) -> HawkbitError:
    """404: soft deleted."""
    message = f"{kind} with given identifier {{{record_id}}} is soft-deleted!"
    return HawkbitError(404, "deleted", REPOSITORY + "DeletedException", message)
