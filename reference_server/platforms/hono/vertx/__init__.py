"""What Vert.x Web does in the same way for the registry and the HTTP adapter."""
