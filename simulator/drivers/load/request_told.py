"""Who hears of every request of a load run: Locust's statistics."""

from __future__ import annotations

from typing import Protocol


class RequestTold(Protocol):
    """Hears that a request has ended; `failure` is empty for a good answer."""

    def __call__(self, request_type: str, name: str, took_s: float, answer_bytes: int, failure: str, /) -> None: ...
