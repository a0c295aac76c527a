"""CoAP's messages, server side: codec, deduplication, retransmission, blocks, observations. No I/O, clock or chance."""
