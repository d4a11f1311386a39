"""A pipeline of eight steps over 500 things in the sky: see `README.md`."""
