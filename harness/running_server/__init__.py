"""A running server as a test has it in its hand: faults, reasons, clock, trace, devices (docs/pytest.md).

`fleetrig.testing` names what is public here. Nobody needs pytest for it: the plugin's fixtures hand it out.
"""
