"""The CoAP adapter (spec 4.3)."""
