"""The HTTP adapter (spec 4.1)."""
