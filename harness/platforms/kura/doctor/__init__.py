"""`fleetrig doctor kura`: why a gateway is not provisioned, or does not connect."""
