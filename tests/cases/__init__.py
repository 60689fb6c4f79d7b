"""Odd and bad uploads as data: one .toml for each, numbered as in the catalogue of uploads."""
