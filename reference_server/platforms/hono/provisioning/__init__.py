"""What all adapters share: who a device is, whether it may send, and how it comes to be known."""
