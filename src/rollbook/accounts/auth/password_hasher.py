"""The password hasher: Argon2id with the parameters recommended by OWASP."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane, which takes about 30 ms."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
