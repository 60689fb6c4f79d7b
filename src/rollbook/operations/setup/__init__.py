"""Setting up districts as a file describes them."""
