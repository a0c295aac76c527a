"""Records of the registry and the rules that hold whoever asks."""
