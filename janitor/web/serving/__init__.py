"""The server and the application."""
