"""What operators ask for in `POST /rollouts`, read and checked (`MgmtRolloutMapper.java`)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.assignment import GREATEST_WEIGHT, force_type
from fleetrig.reference_server.platforms.hawkbit.request.call import INT_MAX
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_list, as_object, boolean, integer, text, word
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_making import GroupDraft, Template
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_targets import java_float
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ForceType
from fleetrig.reference_server.platforms.hawkbit.state.errors import crash, invalid, not_readable, violations
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import DEFAULTS, Conditions
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_QUERY: Final = 1024
NAMED: Final = (TextRule("name", 1, 128, needed=True), TextRule("description", 0, 512))
TEXTS: Final = (*NAMED, TextRule("targetFilterQuery", 1, GREATEST_QUERY))
WORDS: Final = {
    "successCondition": ("condition", ("THRESHOLD",), "success_condition", "success_expression"),
    "successAction": ("action", ("NEXTGROUP", "PAUSE"), "success_action", "success_action_expression"),
    "errorCondition": ("condition", ("THRESHOLD",), "error_condition", "error_expression"),
    "errorAction": ("action", ("PAUSE",), "error_action", "error_action_expression"),
}
"""Field of a request -> (name of the word in it, the words there are, where they are kept)."""


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """A `POST` body, its types checked and nothing else."""

    texts: dict[str, Any]
    set_id: int
    force_type: str
    force_time_ms: int
    start_at_ms: int | None
    weight: int | None
    amount: int | None
    dynamic: bool
    template: Template | None
    confirmation: bool | None
    conditions: Conditions
    groups: list[dict[str, Any]] | None


def read_rollout(document: Any) -> RolloutRequest:
    """Raises 400 for what cannot be read."""
    body = as_object(document)
    weight, amount = small(body, "weight"), small(body, "amountGroups")
    groups = None if body.get("groups") is None else [_group(item) for item in as_list(body["groups"])]
    return RolloutRequest(
        texts={name: text(body, name) for name in ("name", "description", "targetFilterQuery")},
        set_id=primitive(body, "distributionSetId", integer(body, "distributionSetId"), 0),
        force_type=(force_type(body, "type") or ForceType.FORCED).value,
        force_time_ms=integer(body, "forcetime") or 0,
        start_at_ms=integer(body, "startAt"),
        weight=weight,
        amount=amount,
        dynamic=primitive(body, "dynamic", boolean(body, "dynamic"), False),
        template=_template(body),
        confirmation=boolean(body, "confirmationRequired"),
        conditions=_conditions(body),
        groups=groups,
    )


def primitive(body: dict[str, Any], name: str, value: Any, default: Any) -> Any:
    """A field that the server cannot keep a null in: absent is the default, null is not readable."""
    if value is None and name in body:
        raise not_readable(f"{name}: null is no value here")
    return default if value is None else value


def small(body: dict[str, Any], name: str) -> int | None:
    """A number of 32 bits."""
    value = integer(body, name)
    if value is not None and not -INT_MAX - 1 <= value <= INT_MAX:
        raise not_readable(f"{name}: {value} is too large")
    return value


def _group(item: Any) -> dict[str, Any]:
    if item is None:
        raise crash("null in the groups of a rollout")
    body = as_object(item, "a group")
    for name in ("name", "description", "targetFilterQuery"):
        text(body, name)
    boolean(body, "confirmationRequired")
    _conditions(body)
    _percentage(body)
    return body


def _percentage(body: dict[str, Any]) -> float | None:
    match body.get("targetPercentage"):
        case None:
            return None
        case bool():
            raise not_readable("targetPercentage: expected a number")
        case int() | float() as number:
            return java_float(float(number))
        case str() as written:
            try:
                return java_float(float(written)) if written.strip() else None
            except ValueError:
                raise not_readable(f"targetPercentage: expected a number, got {written[:50]!r}") from None
        case _:
            raise not_readable("targetPercentage: expected a number")


def _template(body: dict[str, Any]) -> Template | None:
    if body.get("dynamicGroupTemplate") is None:
        return None
    template = as_object(body["dynamicGroupTemplate"], "dynamicGroupTemplate")
    suffix, count = text(template, "nameSuffix"), integer(template, "targetCount")
    if count is None:
        raise crash("dynamicGroupTemplate: the real server breaks without targetCount")
    return Template(suffix or "", count)


def _conditions(body: dict[str, Any]) -> Conditions:
    """What the body says of conditions and actions; None where it says nothing."""
    given: dict[str, str | None] = {}
    for name, (key, words, word_field, expression_field) in WORDS.items():
        if body.get(name) is None:
            continue
        one = as_object(body[name], name)
        chosen = word(one.get(key), words, f"{name}.{key}")
        if chosen is None and name == "successAction":
            raise crash("successAction: the real server breaks on an action of null")
        if chosen is None:
            raise not_readable(f"{name}.{key}: expected one of {', '.join(words)}")
        given[word_field], given[expression_field] = chosen, text(one, "expression")
    return Conditions(**given)


def with_defaults(request: RolloutRequest, body: dict[str, Any]) -> Conditions:
    """The conditions of a rollout: what a part of the body says stands whole, the rest is the server's default."""
    own = request.conditions
    kept: dict[str, Any] = {}
    for name, (_, _, word_field, expression_field) in WORDS.items():
        source = DEFAULTS if body.get(name) is None else own
        kept |= {part: getattr(source, part) for part in (word_field, expression_field)}
    return Conditions(**kept)


def group_drafts(request: RolloutRequest, conditions: Conditions, confirmation_on: bool) -> tuple[GroupDraft, ...]:
    """Groups with what they do not say taken from the rollout. Raises 400."""
    assert request.groups is not None
    broken = [
        sentence for number, body in enumerate(request.groups) for sentence in _broken(f"create.groups[{number}]", body)
    ]
    if broken:
        raise violations(broken)
    drafts = tuple(_draft(request, body, conditions, confirmation_on) for body in request.groups)
    if not drafts:
        raise invalid("The amount of groups cannot be 0")
    return drafts


def _broken(path: str, body: dict[str, Any]) -> list[str]:
    return rules.missing(f"{path}.name", body.get("name")) + rules.broken_texts(path, TEXTS, body)


def _draft(request: RolloutRequest, body: dict[str, Any], conditions: Conditions, confirmation_on: bool) -> GroupDraft:
    own = _conditions(body)
    filled = {
        part.name: getattr(own, part.name) if getattr(own, part.name) is not None else getattr(conditions, part.name)
        for part in fields(Conditions)
    }
    confirmation = boolean(body, "confirmationRequired")
    if confirmation is None:
        confirmation = confirmation_on if request.confirmation is None else request.confirmation
    percentage = _percentage(body)
    name = text(body, "name")
    return GroupDraft(
        name=rules.trimmed(name),
        description=rules.trimmed(text(body, "description")),
        query=text(body, "targetFilterQuery") or "",
        percentage=100.0 if percentage is None else percentage,
        conditions=replace(own, **filled),
        confirmation_required=confirmation,
    )


def check_percentages(groups: tuple[GroupDraft, ...]) -> None:
    """Raises 400."""
    if any(not 1 <= group.percentage <= 100 for group in groups):
        raise invalid("Target percentage has to be between 1 and 100")


def broken_rollout(request: RolloutRequest, path: str) -> list[str]:
    """What the rules of a new rollout say."""
    return [
        *rules.broken_texts(path, TEXTS, request.texts),
        *broken_weight(path, request.weight),
    ]


def broken_weight(path: str, weight: int | None) -> list[str]:
    if weight is None or 0 <= weight <= GREATEST_WEIGHT:
        return []
    bound = "greater than or equal to 0" if weight < 0 else f"less than or equal to {GREATEST_WEIGHT}"
    return [f"{path}.weight must be {bound}."]
