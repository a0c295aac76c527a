"""How a device behaves towards each platform, written without I/O."""
