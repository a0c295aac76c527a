"""The report as one HTML page that opens offline: what is on it, as data, and the page that draws it."""
