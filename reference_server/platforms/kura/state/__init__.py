"""Records and rules: accounts, users, provision requests and their jobs, devices, connections, certificates."""
