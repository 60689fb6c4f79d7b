"""How the passwords of members are hashed: argon2id in OWASP's profile."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: about 30 ms, and 32 sign-ins at once stay in memory."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
