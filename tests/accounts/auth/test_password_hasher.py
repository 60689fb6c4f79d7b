"""How members' passwords are kept (S01)."""

import pytest
from django.contrib.auth.hashers import make_password

from tests.conftest import PASSWORD


@pytest.mark.usefixtures("real_hashing")
def test_passwords_are_kept_as_argon2id_in_owasps_profile() -> None:
    hashed = make_password(PASSWORD)
    assert hashed.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in hashed
