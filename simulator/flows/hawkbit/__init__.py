"""A device that polls hawkBit (Direct Device Integration API)."""
