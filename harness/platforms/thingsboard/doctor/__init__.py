"""`fleetrig doctor thingsboard`."""
