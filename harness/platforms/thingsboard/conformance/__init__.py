"""`fleetrig conform thingsboard`."""
