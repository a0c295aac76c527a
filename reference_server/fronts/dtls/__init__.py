"""DTLS 1.2 (RFC 6347) for listeners: certificates or pre-shared keys, over datagrams that others carry."""
