"""hawkBit's doctor: from what a device presents and what the server shows to the reason of a bare 401."""
