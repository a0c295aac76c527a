"""The shared vocabulary: all of the simulator that the server and the bench may import."""
