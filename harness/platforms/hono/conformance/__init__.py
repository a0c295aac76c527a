"""Hono's contract as rows: `fleetrig conform hono`, and the page docs/contracts/hono.md."""
