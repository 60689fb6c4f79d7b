"""A small Django project that does the nightly work as Django projects usually do; it knows nothing of Rollbook."""
