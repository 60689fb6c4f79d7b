"""Tests of undoing an update."""
