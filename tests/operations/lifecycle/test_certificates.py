"""Certificates of destruction are signed, survive a new key, and reveal every change."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from rollbook.operations.lifecycle import certificates
from rollbook.operations.lifecycle.certificates import NotACertificate, Verdict
from rollbook.operations.models import Destruction

NAMES = ("number", "destroyed", "started_at", "finished_at", "requested_by", "removed", "district")


@pytest.fixture
def finished(db: None) -> Destruction:
    destruction = Destruction(
        district_key=7,
        district_slug="maple-usd",
        district_name="Maple USD",
        requested_by="root",
        started_at=timezone.now(),
        finished_at=timezone.now(),
        counts={"students": 4812, "files": 3},
        remaining=["the uploaded file of update 3, until 2026-12-12"],
    )
    destruction.save()
    destruction.certificate = certificates.issue(destruction)
    destruction.save()
    return destruction


def test_it_is_valid_as_json_file_and_says_everything_as_text(
    finished: Destruction, tmp_path: Path
) -> None:
    json_path, text_path = certificates.write_files(finished, tmp_path / "new")
    assert certificates.verify(certificates.read(json_path)) is Verdict.VALID
    assert json_path.name == f"certificate-{finished.pk}-maple-usd.json"
    text = text_path.read_text(encoding="utf-8")
    for part in (
        "District:      Maple USD (maple-usd)",
        "4,812  students",
        "3  uploaded files",
        "the uploaded file of update 3, until 2026-12-12",
        "Export before: none",
        finished.signed_certificate["public_key"],
    ):
        assert part in text
    assert [path.stat().st_mode & 0o777 for path in (json_path, text_path)] == [0o600] * 2


@pytest.mark.statement("S42")
@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_any_fact_is_noticed(finished: Destruction, name: str) -> None:
    certificate: dict[str, Any] = json.loads(json.dumps(finished.signed_certificate))
    certificate["statement"][name] = {"students": 1}
    assert certificates.verify(certificate) is Verdict.CHANGED


def test_a_certificate_of_another_installation_is_recognized(
    finished: Destruction, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = finished.signed_certificate
    monkeypatch.setattr(settings, "KEYS", tmp_path / "other-keys")
    assert certificates.verify(certificate) is Verdict.VALID  # it is in the database
    Destruction.objects.all().delete()
    assert certificates.verify(certificate) is Verdict.FOREIGN


def test_a_signature_by_someone_else_is_not_ours(finished: Destruction) -> None:
    forged = dict(finished.signed_certificate)
    forged["public_key"] = "00" * 32
    assert certificates.verify(forged) is Verdict.CHANGED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"not json",
        b"\xff",
        b'{"statement": {"format": "other"}, "public_key": "00", "signature": "00"}',
    ],
)
def test_other_files_are_no_certificates(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(NotACertificate, match=r"name the \.json file"):
        certificates.read(path)


def test_a_missing_or_wrong_signature_is_noticed(finished: Destruction, tmp_path: Path) -> None:
    for name, value in (("signature", "zz"), ("signature", 5), ("public_key", None)):
        path = tmp_path / "file.json"
        path.write_text(json.dumps({**finished.signed_certificate, name: value}), encoding="utf-8")
        with pytest.raises(NotACertificate):
            certificates.read(path)
