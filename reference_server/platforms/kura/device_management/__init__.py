"""What the server asks of devices: requests with ids that nobody can guess, and replies that only the asked one gives."""
