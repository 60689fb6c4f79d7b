"""What a monitor reads: whether this process is ready, and metrics."""
