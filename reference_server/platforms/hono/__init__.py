<<<<<<< HEAD
"""Eclipse Hono: device registry and protocol adapters as one server."""
=======
"""Eclipse Hono, as its sources and a running one show it: a registry and its HTTP, MQTT and CoAP adapters."""
>>>>>>> hono-registry
