"""The main job: one student file and all that becomes of it."""
