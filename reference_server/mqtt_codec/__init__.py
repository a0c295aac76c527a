"""The server's side of MQTT 3.1, 3.1.1 and 5: bytes to packets and packets to bytes, without I/O."""
