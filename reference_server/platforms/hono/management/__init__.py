"""The Device Registry Management API v1 (spec 1)."""
