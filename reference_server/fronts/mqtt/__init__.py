"""MQTT over sockets, with and without TLS."""
