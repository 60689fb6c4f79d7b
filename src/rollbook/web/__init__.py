"""How the world comes in: commands, API and pages. No rules live here."""
