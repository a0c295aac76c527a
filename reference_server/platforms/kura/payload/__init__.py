"""KuraPayload as the server reads and writes it (spec 2.3, 2.4)."""
