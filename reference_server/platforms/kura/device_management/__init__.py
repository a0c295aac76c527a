"""What the server asks of devices: requests with ids that nobody can guess, replies that only the asked one gives."""
