"""One module for each way of switching a board on, off and over; `power.py` has what they share."""
