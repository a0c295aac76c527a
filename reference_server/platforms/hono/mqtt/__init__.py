"""The MQTT adapter (spec 4.2)."""
