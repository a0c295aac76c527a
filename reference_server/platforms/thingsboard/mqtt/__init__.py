"""MQTT: who may log in, sessions that provision, sessions of devices and gateways, certificates in the handshake."""
