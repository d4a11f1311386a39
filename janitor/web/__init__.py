"""The web wing: a dashboard, its JSON, live streams, metrics and health, served from within the daemon."""
