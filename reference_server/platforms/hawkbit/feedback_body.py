"""What devices and operators report, read out of a request body (§2.5-2.7). Everything that does not fit is a 400.

Legacy fields (`id`, `time`, `result.progress`) are ignored; one text counts as a list of one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from reference_server.platforms.hawkbit import fields
from reference_server.platforms.hawkbit.actions import Confirmation, Execution, Feedback, Finished
from reference_server.platforms.hawkbit.call import INT_MAX
from reference_server.platforms.hawkbit.errors import not_readable

Word = TypeVar("Word", bound=StrEnum)


def feedback(document: Any) -> Feedback:
    """`status`, `status.execution`, `status.result` and `status.result.finished` are mandatory."""
    body = fields.as_object(document)
    status = _part(body, "status")
    result = _part(status, "result")
    return Feedback(
        execution=_word(status, "execution", Execution),
        finished=_word(result, "finished", Finished),
        details=_details(status),
        code=_code(status),
        timestamp_ms=fields.integer(body, "timestamp"),
    )


def confirmation(document: Any) -> tuple[Confirmation, tuple[str, ...], int | None]:
    """(confirmed or denied, what was said, code)."""
    body = fields.as_object(document)
    return _word(body, "confirmation", Confirmation), _details(body), _code(body)


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    if body.get(name) is None:
        raise not_readable(f"{name} is mandatory in feedback")
    return fields.as_object(body[name], name)


def _word(body: dict[str, Any], name: str, words: type[Word]) -> Word:
    text = fields.text(body, name)
    if text is None:
        raise not_readable(f"{name} is mandatory: one of {', '.join(words)}")
    try:
        return words(text)
    except ValueError:
        raise not_readable(f"{name}: expected one of {', '.join(words)}, got {text[:50]!r}") from None


def _details(body: dict[str, Any]) -> tuple[str, ...]:
    details = body.get("details")
    return () if details is None else tuple(fields.as_texts(details, "details"))


def _code(body: dict[str, Any]) -> int | None:
    code = fields.integer(body, "code")
    if code is not None and not -INT_MAX - 1 <= code <= INT_MAX:
        raise not_readable(f"code: {code} does not fit into 32 bits")
    return code
