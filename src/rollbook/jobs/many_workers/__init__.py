"""The engine of many workers on any number of machines, by Procrastinate on PostgreSQL."""
