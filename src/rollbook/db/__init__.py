"""The two databases, and the places where they differ: bulk loading, handing over keys, faults, waiting writers."""
