"""A Hono device: is let in with certificate, password or key, sends telemetry or events, and carries out commands."""
