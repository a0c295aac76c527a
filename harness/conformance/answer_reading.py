"""What may be read out of an answer from a server of which nothing is known yet."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.servers.first_answer import FirstAnswer
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.identity import UserPassword


def media_type(answer: Answer) -> str:
    """The media type of an answer."""
    return (answer.header("Content-Type") or "nothing").partition(";")[0]


def came(asked: str, answer: Answer, account: UserPassword | None = None) -> FirstAnswer:
    """For a sentence on who answers; `account` is what it was asked with."""
    return FirstAnswer(
        asked,
        answer.status,
        answer.header("Content-Type") or "",
        answer.header("Location") or "",
        answer.body,
        () if account is None else (("password", account.password),),
    )


def document(answer: Answer) -> dict[str, Any]:
    """A body that is a JSON object; else an empty one."""
    try:
        found = read_json(answer.body)
    except NotJson:
        return {}
    return found if isinstance(found, dict) else {}
