"""The JSON API: what the pages show, and what their buttons do, for programs."""
