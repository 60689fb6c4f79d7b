"""The hash of members' passwords (S01)."""

import pytest
from django.contrib.auth.hashers import make_password

from tests.conftest import PASSWORD


@pytest.mark.statement("S01")
@pytest.mark.usefixtures("real_hashing")
def test_passwords_are_hashed_with_argon2id_and_owasps_parameters() -> None:
    hashed = make_password(PASSWORD)
    assert hashed.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in hashed
