"""HTTP requests that are answered later, on a small platform: without sockets, in virtual and in real time."""
