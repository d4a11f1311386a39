"""Live streams to browsers."""
