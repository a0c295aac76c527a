"""The CoAP adapter: who a DTLS session is of, what devices send, and the commands in answers (spec 4.3)."""
