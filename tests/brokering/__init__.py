"""A small MQTT broker as a platform, over `reference_server.mqtt_sessions`: for tests of fronts, devices and rules."""
