"""What a load run cannot do."""

from __future__ import annotations

from typing import Final

NO_COAP: Final = (
    "load cannot speak CoAP, whose library needs asyncio: `fleetrig simulate` and `fleetrig run --time real` do"
)
