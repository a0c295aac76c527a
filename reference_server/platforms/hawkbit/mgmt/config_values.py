"""Values of the tenant configuration: what is converted, what is refused, in the server's words (§1.6, S76, S127)."""

from __future__ import annotations

import re
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import INT_MAX, LONG_MAX
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_text
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import TARGET_FIELDS
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import ConfigKey
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    config_value_invalid,
    crash,
    not_readable,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.polling import (
    PollingTimeError,
    parse_duration,
    parse_polling_time,
    sleep_text,
)
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository

TRUE: Final = frozenset({"true", "on", "yes", "1"})
FALSE: Final = frozenset({"false", "off", "no", "0"})
HEXADECIMAL: Final = re.compile(r"(-?)(?:0[xX]|#)([0-9a-fA-F]{1,16})")
DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,20}", re.ASCII)
PLAIN: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
END_OF_DAY: Final = "24:00:00"
"""A time of day that Java knows, and no duration."""
DURATIONS: Final = frozenset({"pollingTime", "pollingOverdueTime", "minPollingTime"})
MOST: Final = {"Integer": INT_MAX, "Long": LONG_MAX}


def checked_value(repo: Repository, key: ConfigKey, given: Any) -> Any:
    """The value as it is stored. Raises 400 configValueInvalid, or not readable for unreadable durations."""
    if not repo.traits.config_values_are_converted:
        return _of_very_type(repo, key, given)
    value = _converted(key, given)
    if value is None:
        raise config_value_invalid(f"The given configuration value is expected as a {key.java_type}")
    if key.name == "pollingTime":
        _check_polling_time(repo, value)
    elif key.name == "pollingOverdueTime":
        _check_overdue_time(value)
    return value


def _of_very_type(repo: Repository, key: ConfigKey, given: Any) -> Any:
    """Nothing is converted: text for text, and a number that Java reads as an Integer is no Long."""
    if given is None:
        raise crash(f"{key.name}: null is no value")
    if java_name(given) != f"java.lang.{key.java_type}":
        raise config_value_invalid(
            f"Cannot parse the value {java_text(given)} of type {java_class(given)} into the type "
            f"class java.lang.{key.java_type} defined by the configuration key."
        )
    if key.name in DURATIONS:
        given = given.strip()
        _check_plain_time(repo, given)
    most = repo.traits.greatest_config_value
    if most is not None and isinstance(given, str) and len(given) > most:
        raise violations(rules.broken_size("value", given, 0, most))
    return given


def _converted(key: ConfigKey, given: Any) -> Any:
    """What the server's converters make of a value: an array counts as its first element, nothing is None."""
    plain = given
    if isinstance(given, list):
        plain = given[0] if given else "" if key.java_type == "String" else None
    if plain is None or (plain == "" and key.java_type != "String"):
        return None
    if isinstance(given, list) and key.java_type == "String" and not any(isinstance(item, dict) for item in given):
        return ",".join(java_text(item) for item in given)
    if key.java_type == "String" and isinstance(plain, str | int | float):
        return as_text(plain, key.name)
    if key.java_type == "Boolean" and isinstance(plain, bool):
        return plain
    if key.java_type == "Boolean" and isinstance(plain, str) and plain.strip().lower() in TRUE | FALSE | {""}:
        return plain.strip().lower() in TRUE if plain.strip() else None
    if key.java_type in MOST and (number := _number(plain)) is not None and abs(number) <= MOST[key.java_type]:
        return number
    raise config_value_invalid(
        f"Cannot convert the value {java_text(given)} of type {java_class(given)} to the type class "
        f"java.lang.{key.java_type} defined by the configuration key."
    )


def java_text(value: Any) -> str:
    """A value as Java prints it: `[a, b]`, `{key=value}`."""
    match value:
        case None:
            return "null"
        case list():
            return "[" + ", ".join(map(java_text, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{name}={java_text(inner)}" for name, inner in value.items()) + "}"
        case _:
            return as_text(value, "value") or ""


def _number(given: Any) -> int | None:
    """Text may be decimal or, as in Java's sources, hexadecimal."""
    if isinstance(given, bool):
        return None
    if isinstance(given, int | float):
        return int(given) if -LONG_MAX <= given <= LONG_MAX else None
    if not isinstance(given, str):
        return None
    text = "".join(given.split())
    if (found := HEXADECIMAL.fullmatch(text)) is not None:
        return int(found[1] + found[2], 16)
    return int(text) if DECIMAL.fullmatch(text) else None


def java_class(value: Any) -> str:
    """What the server's JSON reader makes of a value."""
    return f"class {java_name(value)}"


def java_name(value: Any) -> str:
    """As `java_class`, the name alone."""
    match value:
        case bool():
            name = "lang.Boolean"
        case int():
            size = "lang.Integer" if abs(value) <= INT_MAX else "lang.Long"
            name = size if abs(value) <= LONG_MAX else "math.BigInteger"
        case float():
            name = "lang.Double"
        case str():
            name = "lang.String"
        case list():
            name = "util.ArrayList"
        case _:
            name = "util.LinkedHashMap"
    return f"java.{name}"


def _check_polling_time(repo: Repository, text: str) -> None:
    """Intervals within the server's limits, overrides with fields that exist."""
    try:
        polling = parse_polling_time(text)
    except PollingTimeError as error:
        raise config_value_invalid(str(error)) from None
    for interval in (polling.default, *(interval for _, interval in polling.overrides)):
        _check_range(repo, interval.milliseconds)
    for query, _ in polling.overrides:
        compiled(query, TARGET_FIELDS, in_memory=True)


def _check_plain_time(repo: Repository, text: str) -> None:
    least_s, most_s = repo.min_polling_s, repo.max_polling_s
    if not PLAIN.fullmatch(text) and text != END_OF_DAY:
        raise config_value_invalid("The given configuration value is expected as a string in the format HH:mm:ss.")
    if text == END_OF_DAY or not least_s * 1000 <= parse_duration(text) <= most_s * 1000:
        allowed = f"from {sleep_text(least_s)} to {sleep_text(most_s)}"
        raise config_value_invalid(f"The given configuration value is not in the allowed range {allowed}.")


def _check_range(repo: Repository, milliseconds: int) -> None:
    least_s, most_s = repo.min_polling_s, repo.max_polling_s
    allowed = f"The allowed range is [{sleep_text(least_s)}, {sleep_text(most_s)}]."
    if milliseconds < least_s * 1000:
        raise config_value_invalid(f"The polling interval is smaller then minimum polling interval. {allowed}")
    if milliseconds > most_s * 1000:
        raise config_value_invalid(f"The polling interval is bigger then maximum polling interval. {allowed}")


def _check_overdue_time(text: str) -> None:
    if not text:
        raise crash("pollingOverdueTime: the real server breaks on an empty duration")
    try:
        milliseconds = parse_duration(text)
    except ValueError as error:
        raise not_readable(f"pollingOverdueTime: {error}") from None
    if milliseconds < 0:
        raise config_value_invalid("The given configuration value is not in the allowed to be negative.")


def default_set_type_id(value: Any) -> int:
    """`default.ds.type` as Java takes the long of any number. Raises 400 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise config_value_invalid(
            f"Default DistributionSetType Value Type is incorrect. Expected Long, received {java_name(value)}"
        )
    return (int(value) + LONG_MAX + 1) % (2 * (LONG_MAX + 1)) - LONG_MAX - 1
