"""What a device says of itself, whatever transport it says it over: telemetry, attributes, an offer to be claimed."""
