"""A small Django project that updates students the usual way, without Rollbook's code."""
