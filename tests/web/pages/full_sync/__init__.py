"""Tests of the page of full sync."""
