"""Load: the same agents over real sockets, one Locust user for each device. Locust is imported before anything else."""
