"""What devices and operators report, read out of a request body (§2.5-2.7). Everything that does not fit is a 400.

Legacy fields (`id`, `time`) are ignored, `result.progress` must be readable; one text counts as a list of one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import INT_MAX, Call
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Confirmation, Execution, Feedback, Finished
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable

Word = TypeVar("Word", bound=StrEnum)


def feedback(call: Call) -> Feedback:
    """`status`, `status.execution`, `status.result` and `status.result.finished` are mandatory."""
    body = fields.as_object(call.json)
    status = _part(body, "status")
    result = _part(status, "result")
    _check_progress(result.get("progress"))
    return Feedback(
        execution=_word(status, "execution", Execution),
        finished=_word(result, "finished", Finished),
        details=_details(call, status),
        code=_code(status),
        timestamp_ms=fields.integer(body, "timestamp"),
    )


def confirmation(call: Call) -> tuple[Confirmation, tuple[str, ...], int | None]:
    """(confirmed or denied, what was said, code)."""
    body = fields.as_object(call.json)
    return _word(body, "confirmation", Confirmation), _details(call, body), _code(body)


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    if body.get(name) is None:
        raise not_readable(f"{name} is mandatory in feedback")
    return fields.as_object(body[name], name)


def _word(body: dict[str, Any], name: str, words: type[Word]) -> Word:
    found = fields.word(body.get(name), list(words), name)
    if found is None:
        raise not_readable(f"{name} is mandatory: one of {', '.join(words)}")
    return words(found)


def _check_progress(progress: Any) -> None:
    """Nobody looks at it, but it is read: `cnt` and `of` are numbers."""
    if progress is not None:
        part = fields.as_object(progress, "progress")
        _small(part, "cnt")
        _small(part, "of")


def _details(call: Call, body: dict[str, Any]) -> tuple[str, ...]:
    """What was said; a null between the texts says nothing."""
    details = body.get("details")
    if not call.traits.one_counts_as_array and not isinstance(details, list | None):
        raise not_readable("details: expected an array")
    given = [] if details is None else fields.as_texts_or_null(details, "details")
    return tuple(text for text in given if text is not None)


def _code(body: dict[str, Any]) -> int | None:
    return _small(body, "code")


def _small(body: dict[str, Any], name: str) -> int | None:
    number = fields.integer(body, name)
    if number is not None and not -INT_MAX - 1 <= number <= INT_MAX:
        raise not_readable(f"{name}: {number} does not fit into 32 bits")
    return number
