"""`fleetrig doctor hono`: which tenant, auth-id and device-id a device gets, and why it would be refused."""
