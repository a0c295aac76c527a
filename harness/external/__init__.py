"""External devices: started as programs, and judged by what the server saw of them."""
