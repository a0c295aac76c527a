"""Units that stay, on Hono: devices of one tenant, with the password or the certificate that each board is given."""

from __future__ import annotations
