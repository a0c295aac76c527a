"""Load: the same agents over real sockets, one Locust user for each device.

Only `device_user` and `locust_stage` import Locust, which is imported before anything else.
"""
