"""`fleetrig doctor`: why a server refuses a device. Facts are gathered at the edge; the reasoning is pure."""
