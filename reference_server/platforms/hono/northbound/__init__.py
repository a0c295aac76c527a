"""What applications get of a tenant's devices: telemetry, events, notifications and responses to commands."""
