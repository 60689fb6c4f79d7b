"""Transfer students to another school."""
