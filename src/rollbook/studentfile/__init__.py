"""What a student file may say: columns, values, problems. Pure: no database, no Django, no clock, no settings."""
