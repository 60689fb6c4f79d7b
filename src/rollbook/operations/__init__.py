"""What the operator does to a whole installation, or to one district as a whole."""
