"""HTTP over sockets, byte for byte."""
