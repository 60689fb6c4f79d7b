"""Tests of full sync."""
