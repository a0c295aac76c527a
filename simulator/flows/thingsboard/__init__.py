"""A ThingsBoard device: provisions itself, logs in with what it was given, and sends telemetry."""
