"""A small CoAP platform, and ways to talk to it: with time handed in, and over sockets."""
