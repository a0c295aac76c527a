"""Eclipse hawkBit: the device interface and the management interface."""
