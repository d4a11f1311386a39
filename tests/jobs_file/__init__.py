"""Tests of the jobs file."""
