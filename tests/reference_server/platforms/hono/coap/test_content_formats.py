from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hono.coap.content_formats import (
    MEDIA_TYPES,
    content_format_of,
    media_type_of,
)


def test_every_number_comes_back() -> None:
    assert {number: content_format_of(media_type_of(number)) for number in MEDIA_TYPES} == {n: n for n in MEDIA_TYPES}


@pytest.mark.parametrize(
    ("number", "media_type"), [(0, "text/plain"), (50, "application/json"), (4711, "unknown/4711")]
)
def test_media_types(number: int, media_type: str) -> None:
    assert media_type_of(number) == media_type


@pytest.mark.parametrize(
    ("media_type", "number"),
    [("Application/JSON", 50), ("text/plain", 0), ("application/json; charset=utf-8", None), ("", None)],
)
def test_numbers(media_type: str, number: int | None) -> None:
    assert content_format_of(media_type) == number
