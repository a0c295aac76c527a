"""TLS on the side of the server: between a TCP connection and the protocol of a front."""
