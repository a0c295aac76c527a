"""Eclipse Hono: device registry and protocol adapters as one server."""
