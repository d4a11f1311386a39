"""Three small sites are crawled, what was found is worked on, and a report is made of all: see `jobs.yaml`."""
