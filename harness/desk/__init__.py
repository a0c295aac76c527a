"""A server on your desk: what somebody who writes a client does on it by hand. Devices let in, files given to them."""
