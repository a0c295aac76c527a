"""ThingsBoard: provisioning, the device interfaces and the operator's REST interface."""
