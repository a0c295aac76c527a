"""Eclipse Hono, as its sources and a running one show it: a registry and its HTTP, MQTT and CoAP adapters."""
