"""The documentation: its pages, the site's configuration, and what writes the pages' tables from the code."""
