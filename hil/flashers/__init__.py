"""One module for each way of writing an image to a board; `flasher.py` has what they share."""
