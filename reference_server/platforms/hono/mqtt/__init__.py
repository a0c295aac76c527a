"""The MQTT adapter: CONNECT, what devices publish and subscribe to, and what they hear of (spec 4.2)."""
