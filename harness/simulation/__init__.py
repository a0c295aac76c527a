"""A fleet without a scenario: started no faster than this machine can, measured, and taken off the server again."""
