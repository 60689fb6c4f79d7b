"""The operators' pages, which ``rollbook admin`` serves on the host alone; no other command knows of them."""
