"""CoAP over datagrams."""
