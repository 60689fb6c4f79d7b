"""Unusual and invalid uploads as data: one .toml file each, numbered as in the catalog."""
