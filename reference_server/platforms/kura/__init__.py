"""Kura namespace, open profile: a broker, a provisioning service and the administrator's REST API over one registry."""
