"""CoAP: provisioning and what a device says and asks with its access token (spec 1.5, 3.4)."""
