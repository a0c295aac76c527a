"""Whether an answer is the recorded one (hono/README.md "Comparing")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from tests.golden.hono_player.names import Differs, Names, shown
from tests.golden.hono_player.recording import Step

SETS: Final = ("allow", "www-authenticate")
"""Headers whose parts come in any order, in one line or in several."""
CONNACK_OF: Final[Mapping[int, int]] = {202: 0}
"""`accept` tells HTTP statuses also for what MQTT answers with a CONNACK."""


class Answers(StrEnum):
    RECORDED = "recorded"
    """Word for word, oddities included: what is told to be free or not compared is compared too."""
    GOOD = "good"
    """As the format has it: also what the recording accepts of a better server."""


class Given(StrEnum):
    RECORDED = "recorded"
    BETTER = "better"
    NOT_COMPARED = "not compared"


def judge(step: Step, got: Any, names: Names, answers: Answers = Answers.RECORDED) -> Given:
    """Which answer it is. Raises Differs for another one. What is seen for the first time binds."""
    if step.is_cleanup:
        return Given.NOT_COMPARED
    if answers is Answers.GOOD and is_accepted(step, got):
        return Given.BETTER
    try:
        compare(step, got, names, answers)
    except Differs:
        if step.is_compared or answers is Answers.RECORDED:
            raise
        return Given.NOT_COMPARED
    return Given.RECORDED


def is_accepted(step: Step, got: Any) -> bool:
    """It is another answer than the recorded one, and as good or better."""
    if step.kind == "mqtt-connect":
        return got.get("connack") in {CONNACK_OF.get(status, status) for status in step.accept}
    return got.get("status") in step.accept - {step.expected.get("status")} if isinstance(got, dict) else False


def compare(step: Step, got: Any, names: Names, answers: Answers) -> None:
    expected = step.expected
    if step.kind not in ("management", "adapter-http") or "tls_alert" in expected or "tls_alert" in got:
        names.compare(expected, got, "answer")
        return
    text = got["text"]
    names.compare(expected["status"], got["status"], f"status of {shown(text)}")
    for name, template in expected["headers"].items():
        is_free = name.lower() in step.free and answers is Answers.GOOD
        compare_header(name.lower(), template, got["headers"].get(name.lower()), names, is_free=is_free)
    compare_body(expected["body"], text, names, answers)


def compare_body(expected: Any, text: str, names: Names, answers: Answers) -> None:
    is_strict = answers is Answers.RECORDED
    if expected is None or isinstance(expected, str):
        names.compare(expected or "", text, "body")
        return
    try:
        got = json.loads(text)
    except ValueError:
        raise Differs(f"body: expected JSON, got {shown(text)}") from None
    if not is_strict and isinstance(expected, dict) and expected.keys() == {"error"}:
        if not isinstance(got, dict) or not isinstance(got.get("error"), str) or not got["error"]:
            raise Differs(f"body: expected a text `error`, got {shown(got)}")
        return
    names.compare(expected, got, "body", is_strict=is_strict)


def compare_header(name: str, template: str, came: list[str] | None, names: Names, *, is_free: bool) -> None:
    """`is_free`: it must be there, and may have another value than before."""
    if came is None:
        raise Differs(f"header {name}: expected {template}, got none")
    got = ", ".join(came)
    if name == "content-type":
        names.compare(media_type(template), media_type(got), f"header {name}")
    elif name in SETS:
        names.compare(parts(template), parts(got), f"header {name}")
    elif not (is_free and names.knows(template)):
        names.compare(template, got, f"header {name}")


def media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def parts(text: str) -> list[str]:
    return sorted(part.strip() for part in text.split(","))
