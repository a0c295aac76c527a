"""The platforms' own behaviour, one package each, without I/O."""
