"""Values of the tenant configuration: what is converted, what is refused, in the server's words (§1.6, S76, S127)."""

from __future__ import annotations

import re
from typing import Any, Final

from reference_server.platforms.hawkbit.call import INT_MAX, LONG_MAX
from reference_server.platforms.hawkbit.config_keys import ConfigKey
from reference_server.platforms.hawkbit.errors import HawkbitError, config_value_invalid, not_readable
from reference_server.platforms.hawkbit.fields import as_text
from reference_server.platforms.hawkbit.polling import PollingTimeError, parse_duration, parse_polling_time, sleep_text
from reference_server.platforms.hawkbit.repository import Repository
from reference_server.platforms.hawkbit.rsql_match import compiled
from reference_server.platforms.hawkbit.settings import Profile
from reference_server.platforms.hawkbit.target_fields import TARGET_FIELDS

TRUE: Final = frozenset({"true", "on", "yes", "1"})
FALSE: Final = frozenset({"false", "off", "no", "0"})
PLAIN: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
MOST: Final = {"Integer": INT_MAX, "Long": LONG_MAX}


def checked_value(repo: Repository, key: ConfigKey, given: Any) -> Any:
    """The value as it is stored. Raises 400 configValueInvalid, or not readable for null and unreadable durations."""
    if given is None:
        raise not_readable(f"{key.name}: null is no value; DELETE goes back to the default")
    value = _converted(key, given)
    if key.name == "pollingTime":
        _check_polling_time(repo, value)
    elif key.name == "pollingOverdueTime":
        _check_overdue_time(value)
    return value


def _converted(key: ConfigKey, given: Any) -> Any:
    if key.java_type == "String" and isinstance(given, str | int | float):
        return as_text(given, key.name)
    if key.java_type == "Boolean" and isinstance(given, bool):
        return given
    if key.java_type == "Boolean" and isinstance(given, str) and given.strip().lower() in TRUE | FALSE:
        return given.strip().lower() in TRUE
    if key.java_type in MOST and (number := _number(given)) is not None and abs(number) <= MOST[key.java_type]:
        return number
    shown = as_text(given, key.name) if not isinstance(given, dict | list) else str(given)
    raise config_value_invalid(
        f"Cannot convert the value {shown} of type {java_class(given)} to the type class java.lang.{key.java_type} "
        "defined by the configuration key."
    )


def _number(given: Any) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, int | float):
        return int(given) if -LONG_MAX <= given <= LONG_MAX else None
    try:
        return int(given.strip()) if isinstance(given, str) else None
    except ValueError:
        return None


def java_class(value: Any) -> str:
    """What the server's JSON reader makes of a value."""
    match value:
        case bool():
            name = "lang.Boolean"
        case int():
            name = (
                "lang.Integer"
                if abs(value) <= INT_MAX
                else "lang.Long"
                if abs(value) <= LONG_MAX
                else "math.BigInteger"
            )
        case float():
            name = "lang.Double"
        case str():
            name = "lang.String"
        case list():
            name = "util.ArrayList"
        case _:
            name = "util.LinkedHashMap"
    return f"class java.{name}"


def _check_polling_time(repo: Repository, text: str) -> None:
    """Intervals within the server's limits, overrides with fields that exist. Up to 0.9 plain `HH:mm:ss`."""
    if repo.settings.profile is Profile.OLD:
        _check_old_polling_time(repo, text)
        return
    try:
        polling = parse_polling_time(text)
    except PollingTimeError as error:
        raise config_value_invalid(str(error)) from None
    for interval in (polling.default, *(interval for _, interval in polling.overrides)):
        _check_range(repo, interval.milliseconds)
    for query, _ in polling.overrides:
        compiled(query, TARGET_FIELDS, in_memory=True)


def _check_old_polling_time(repo: Repository, text: str) -> None:
    least_s, most_s = repo.min_polling_s, repo.max_polling_s
    if not PLAIN.fullmatch(text):
        raise config_value_invalid("The given configuration value is expected as a string in the format HH:mm:ss.")
    if not least_s * 1000 <= parse_duration(text) <= most_s * 1000:
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
    try:
        milliseconds = parse_duration(text)
    except ValueError as error:
        raise not_readable(f"pollingOverdueTime: {error}") from None
    if milliseconds < 0:
        raise config_value_invalid("The given configuration value is not in the allowed to be negative.")


def unknown_default_set_type(value: Any) -> HawkbitError:
    """400 for a `default.ds.type` that is no number."""
    return config_value_invalid(
        f"The value of the configuration key default.ds.type must be a number, got {str(value)[:50]} of "
        f"{java_class(value)}"
    )
