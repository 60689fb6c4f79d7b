"""The errors of ``start`` for malformed forms and sign-ins (bad-uploads.md 3.1 and 3.2)."""

import pytest
from django.test import Client
from pytest_django import Settings

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member
from rollbook.trusted_proxies import TrustedProxies
from rollbook.updates.models import UpdateJob
from rollbook.web.http.client import UNKNOWN_ADDRESS
from rollbook.web.http.command_reference import COMMANDS
from rollbook.web.http.upload_form import MAX_FORM_BYTES
from tests.conftest import PASSWORD
from tests.web.curl import (
    BOUNDARY,
    FORM,
    STUDENTS,
    Curl,
    File,
    basic,
    first_line,
    form,
    text,
    verdict,
)

nothing_kept = pytest.mark.usefixtures("nothing_kept")
CREDENTIALS_GO_ELSEWHERE = [*(f"/slc/studentupdate/{each.name}" for each in COMMANDS), "/updates/1"]
OTHER = File(STUDENTS + b"102,Grace,Hopper\r\n")
ADDRESS = "https://localhost:8443"


# --- Fields of the form


@nothing_kept
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("chek", "yes", "misspelled_field"),
        ("Mode", "add", "misspelled_field"),
        ("check", "true", "wrong_value"),
        ("check", "", "wrong_value"),
        ("note", "x" * 201, "wrong_value"),
        ("note", "a\x07b", "wrong_value"),
        ("notify", "", "wrong_value"),
        ("notify", ",".join(f"a{n}@x.example" for n in range(21)), "wrong_value"),
        ("header_map", "ours", "wrong_value"),
        ("header_map", "", "wrong_value"),
        ("header_map", "Our Map", "wrong_value"),
        ("mode", "everything", "wrong_value"),
        ("mode", "delete", "wrong_value"),
        ("encoding", "klingon", "wrong_value"),
        ("encoding", "utf-7", "wrong_value"),
        ("update", "17", "field_elsewhere"),
        ("wait", "30", "field_elsewhere"),
    ],
)
def test_a_wrong_field_never_applies_a_file(curl: Curl, name: str, value: str, code: str) -> None:
    response = curl.start(None, (name, value))
    assert (response.status_code, verdict(response)) == (400, f"ERROR {code}")


@nothing_kept
def test_an_idempotency_key_is_not_supported(curl: Curl) -> None:
    response = curl.start(idempotency_key="a")
    assert (response.status_code, verdict(response)) == (400, "ERROR not_supported")


@nothing_kept
@pytest.mark.parametrize("header", ["Bearer rb_12345678", "Bearer", "bearer x", "Bearer a b"])
def test_an_invalid_token_starts_nothing(curl: Curl, header: str) -> None:
    response = curl.post("start", [("file", File())], authorization=header)
    assert (response.status_code, verdict(response)) == (401, "ERROR token_failed")


def test_other_unknown_fields_are_ignored_and_listed(curl: Curl) -> None:
    response = curl.start(None, ("school_year", "2026"), ("vendor\x1b", "x"))
    assert "Ignored unknown fields: school_year and vendor.\n" in text(response)


@nothing_kept
@pytest.mark.parametrize("name", ["login", "password", "mode"])
def test_a_field_sent_twice_is_refused(curl: Curl, name: str) -> None:
    response = curl.start(None, (name, "update"), (name, "update"))
    assert (response.status_code, first_line(response)) == (
        400,
        f"ERROR duplicate_field: {name} was sent more than once; send it once",
    )


@nothing_kept
def test_two_sign_ins_are_refused(curl: Curl) -> None:
    response = curl.start(authorization=basic("ops@maple.example", PASSWORD))
    assert verdict(response) == "ERROR duplicate_field"


@nothing_kept
@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic b3Bz", "Digest username=ops", "Basic /////w=="]
)
def test_a_malformed_authorization_header_is_refused(curl: Curl, header: str) -> None:
    response = curl.post("start", [("file", File())], authorization=header)
    assert (response.status_code, verdict(response)) == (400, "ERROR bad_authorization")


# --- Sign-in


@pytest.mark.statement("S03")
@nothing_kept
@pytest.mark.parametrize("case", ["wrong", "unknown", "inactive", "nul", "bytes", "rows"])
def test_every_failed_sign_in_gets_the_same_answer(curl: Curl, case: str) -> None:
    Member.objects.update(is_active=case != "inactive")
    logins: dict[str, str | bytes] = {
        "unknown": "who@maple.example",
        "nul": "ops@maple.example\0",
        "bytes": b"\xff\xfe",
        "rows": STUDENTS * 20,
    }
    password = "wrong" if case == "wrong" else PASSWORD
    curl.sign_in = [("login", logins.get(case, "ops@maple.example")), ("password", password)]
    response = curl.start()
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="Rollbook", charset="UTF-8"'
    assert text(response) == (
        "ERROR sign_in_failed: the login or password is wrong, or the account isn't active\n"
    )


@pytest.mark.statement("S04")
@nothing_kept
def test_the_eleventh_attempt_is_throttled(curl: Curl) -> None:
    curl.sign_in[1] = ("password", "wrong")
    answers = [curl.start().status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    response = curl.start()
    assert verdict(response) == "ERROR throttled"
    assert 3500 < int(response["Retry-After"]) <= 3600


@pytest.mark.statement("S13")
def test_only_the_address_from_the_proxy_is_used(curl: Curl, settings: Settings) -> None:
    settings.BEHIND_PROXY = True
    curl.start(x_forwarded_for="198.51.100.1, 203.0.113.9")
    assert AuditEvent.objects.filter(action="start").get().address == "203.0.113.9"


@pytest.mark.statement("S13")
@nothing_kept
def test_behind_two_proxies_the_eleventh_attempt_is_throttled_whatever_is_forged(
    curl: Curl, settings: Settings
) -> None:
    settings.BEHIND_PROXY = True
    settings.TRUSTED_PROXIES = TrustedProxies(2)
    curl.sign_in[1] = ("password", "wrong")
    answers = [
        curl.start(x_forwarded_for=f"198.51.100.{number}, 203.0.113.9, 10.0.0.1").status_code
        for number in range(11)
    ]
    assert answers == [401] * 10 + [429]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("198.51.100.1, [2001:db8::9]:4711", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[]:80", UNKNOWN_ADDRESS),
        ("unknown", UNKNOWN_ADDRESS),
    ],
)
def test_a_proxy_may_add_the_port_to_the_address(
    curl: Curl, settings: Settings, header: str, address: str
) -> None:
    settings.BEHIND_PROXY = True
    curl.start(x_forwarded_for=header)
    assert AuditEvent.objects.filter(action="sign in").get().address == address


@pytest.mark.statement("S13")
def test_without_a_proxy_a_forged_address_changes_nothing(curl: Curl) -> None:
    curl.start(x_forwarded_for="198.51.100.1")
    assert AuditEvent.objects.filter(action="start").get().address == "127.0.0.1"


@nothing_kept
@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_a_member_without_the_permission_is_refused_and_audited(
    curl: Curl, manager: Member, role: str
) -> None:
    Member.objects.update(role=roles.standard(manager.district, role))
    response = curl.start()
    assert (response.status_code, verdict(response)) == (403, "ERROR not_allowed")
    assert AuditEvent.objects.get(result="not allowed").member == manager


# --- Wrong requests (bad-uploads.md 3.1)


@pytest.mark.statement("S54")
@nothing_kept
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_only_post_is_accepted(curl: Curl, method: str) -> None:  # B001 B002
    response = curl.client.generic(method, "/slc/studentupdate/start", secure=True)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert text(response) == (
            "ERROR use_post: this address accepts only POST; use: curl -F file=@students.csv "
            "-F login=you@school.example -F 'password=<password.txt' "
            f"{ADDRESS}/slc/studentupdate/start\n"
        )


@pytest.mark.statement("S35")
@nothing_kept
def test_plain_http_is_refused_and_not_redirected(manager: Member) -> None:  # B003
    response = Client().post("/slc/studentupdate/start", {"login": "x"})
    assert (response.status_code, verdict(response)) == (403, "ERROR use_https")
    assert "Location" not in response


@nothing_kept
def test_no_file(curl: Curl) -> None:  # B004
    response = curl.post("start", curl.sign_in)
    assert response.status_code == 400
    assert text(response) == "ERROR missing_file: no file was sent; add -F file=@students.csv\n"


@nothing_kept
def test_a_file_name_without_the_at_sign(curl: Curl) -> None:  # B005
    response = curl.post("start", [("file", "students.csv"), *curl.sign_in])
    assert (response.status_code, first_line(response)) == (
        400,
        "ERROR file_is_text: the field file contains text instead of a file; "
        "put @ before the file name: -F file=@students.csv",
    )


@nothing_kept
@pytest.mark.parametrize(
    ("content_type", "hint"),
    [
        ("application/x-www-form-urlencoded", "use -F instead of -d"),  # B006
        ("text/csv", "use -F file=@students.csv instead of --data-binary"),  # B007
        ("application/json", "JSON is not accepted"),  # B008
        ("multipart/mixed; boundary=a", "the request is not a form"),
        ("", "the request is not a form"),
    ],
)
def test_a_request_that_is_not_a_form_is_refused_with_a_hint(
    curl: Curl, content_type: str, hint: str
) -> None:
    response = curl.raw("start", b"login=x&password=y", content_type=content_type)
    assert (response.status_code, verdict(response)) == (415, "ERROR not_a_form")
    assert hint in text(response)


@nothing_kept
def test_unknown_fields_are_listed_when_one_is_missing(curl: Curl) -> None:  # B009
    assert verdict(curl.post("start", [("upload", File()), *curl.sign_in])) == "ERROR wrong_field"
    response = curl.post("start", [("file", File()), ("user", "a"), ("pass", "b")])
    assert verdict(response) == "ERROR missing_login"
    assert text(response).endswith("; the unknown fields are user and pass\n")


@pytest.mark.statement("S26")
@nothing_kept
def test_two_files(curl: Curl) -> None:  # B010
    response = curl.start(None, ("file", OTHER))
    assert (response.status_code, verdict(response)) == (400, "ERROR too_many_files")


@pytest.mark.statement("S11")
@nothing_kept
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
@pytest.mark.parametrize("address", CREDENTIALS_GO_ELSEWHERE)
def test_a_password_in_the_address_is_refused_audited_and_not_repeated(
    curl: Curl, method: str, address: str
) -> None:  # B013
    response = curl.client.generic(
        method, address, QUERY_STRING=f"Login=ops&password={PASSWORD}", secure=True
    )
    assert (response.status_code, verdict(response)) == (400, "ERROR credentials_in_address")
    assert "change that password" in text(response)
    assert "horse" not in text(response)
    assert AuditEvent.objects.get().result == "credentials in address"


def test_nobody_can_fill_the_audit_log_that_way(curl: Curl) -> None:
    for _ in range(30):
        curl.client.post("/slc/studentupdate/start?password=x", secure=True)
    assert AuditEvent.objects.count() == 20


@pytest.mark.statement("S25")
@nothing_kept
def test_a_request_that_is_too_large(curl: Curl, settings: Settings) -> None:  # B019 B045
    settings.MAX_UPLOAD_BYTES = 100
    response = curl.start(File(b"x" * (MAX_FORM_BYTES + 100)))
    assert response.status_code == 413
    assert text(response) == (
        "ERROR too_large: the request is larger than 65,636 bytes; "
        "split the file by school, or send fewer fields\n"
    )


@pytest.mark.statement("S25")
@nothing_kept
def test_the_size_of_a_file_is_checked_while_it_is_received(curl: Curl, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    response = curl.start(File(b"x" * 101))
    assert (response.status_code, verdict(response)) == (413, "ERROR too_large")
    assert "larger than 100 bytes" in text(response)


@nothing_kept
def test_a_body_of_unknown_size(curl: Curl) -> None:  # B020
    response = curl.client.generic(
        "POST",
        "/slc/studentupdate/start",
        secure=True,
        CONTENT_TYPE=FORM,
        HTTP_TRANSFER_ENCODING="chunked",
    )
    assert (response.status_code, verdict(response)) == (411, "ERROR length_required")


@nothing_kept
@pytest.mark.parametrize("share", [0.1, 0.5, 0.7, 0.99])
def test_a_client_that_disconnects(curl: Curl, share: float) -> None:  # B021, F36
    body = form([("file", File(STUDENTS * 5000)), *curl.sign_in])
    response = curl.raw("start", body[: int(len(body) * share)], length=len(body))
    assert (response.status_code, verdict(response)) == (400, "ERROR incomplete_upload")


@nothing_kept
def test_a_form_that_is_shorter_than_its_content_length(curl: Curl) -> None:  # B021
    body = form([("file", File()), *curl.sign_in])
    response = curl.raw("start", body, length=len(body) + 1)
    assert (response.status_code, verdict(response)) == (400, "ERROR incomplete_upload")


@nothing_kept
def test_a_form_without_its_end(curl: Curl) -> None:  # B022
    response = curl.raw("start", form([("file", File()), *curl.sign_in], end=False))
    assert (response.status_code, verdict(response)) == (400, "ERROR incomplete_upload")


@nothing_kept
@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=é"])
def test_a_boundary_that_is_missing_or_damaged(curl: Curl, content_type: str) -> None:  # B023
    response = curl.raw("start", form([("file", File()), *curl.sign_in]), content_type=content_type)
    assert (response.status_code, verdict(response)) == (400, "ERROR bad_form")


@nothing_kept
@pytest.mark.parametrize("boundary", ["another", BOUNDARY + "x", BOUNDARY[:-1]])
def test_a_boundary_that_does_not_match(curl: Curl, boundary: str) -> None:  # B023
    response = curl.raw(
        "start",
        form([("file", File(STUDENTS * 500)), *curl.sign_in]),
        content_type=f"multipart/form-data; boundary={boundary}",
    )
    assert response.status_code == 400
    assert "Lovelace" not in text(response)


def _with_header(line: str) -> bytes:
    return form([("file", File())]).replace(b"Content-Type: text/csv", line.encode())


@pytest.mark.statement("S26")
@nothing_kept
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form([(f"field{number}", "x") for number in range(1001)]), "bad_form"),
        (form([("file", File(name=f"{number}.csv")) for number in range(101)]), "too_many_files"),
        (_with_header("X-Padding: " + "x" * 20_000), "bad_form"),
        (_with_header("Content-Transfer-Encoding: base64"), "bad_form"),
        (form([("login", "x" * 5000)]), "field_too_long"),
        (form([("login", "x" * 100_000)]), "field_too_long"),
    ],
    ids=["fields", "files", "part header", "base64", "long field", "very long field"],
)
def test_an_excessive_form(curl: Curl, body: bytes, code: str) -> None:  # B024
    response = curl.raw("start", body)
    assert (response.status_code, verdict(response)) == (400, f"ERROR {code}")


@pytest.mark.statement("S28")
@nothing_kept
def test_a_compressed_body(curl: Curl) -> None:  # B026
    response = curl.start(content_encoding="gzip")
    assert (response.status_code, verdict(response)) == (415, "ERROR content_encoded")


# --- File names (bad-uploads.md 3.2)


@pytest.mark.statement("S27")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("students.txt", "students.txt"),  # B036
        ("students.csv.exe", "students.csv.exe"),  # B037
        ("../../etc/passwd", "passwd"),  # B042
        ("..", ".."),
        ("-rf", "-rf"),
        ("\u202egnp.csv", "gnp.csv"),
        ("a\x1b[31m\x00b.csv", "a[31mb.csv"),
        ("x" * 400, "x" * 99 + "…"),
        ("-", "stdin"),  # B044
        ("Schüler 学生.csv", "Schüler 学生.csv"),
    ],
)
def test_any_file_name_is_accepted_and_shown_safely(curl: Curl, sent: str, shown: str) -> None:
    assert f" in {shown}, now checking" in text(curl.start(File(name=sent)))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"\xe9l\xe8ves.csv", "élèves.csv"),
        (b"Sch\xfcler 2026.csv", "Schüler 2026.csv"),
        (b"C:\\\\export\\\\\xe9.csv", "é.csv"),
        (b"\x81\x8d.csv", ".csv"),
        ("生徒.csv".encode("shift_jis"), "¶“k.csv"),
    ],
)
def test_a_file_name_that_is_not_utf_8_is_accepted(curl: Curl, sent: bytes, shown: str) -> None:
    body = form([("file", File(STUDENTS, "SENT")), *curl.sign_in]).replace(b"SENT", sent)
    assert f" in {shown}, now checking" in text(curl.raw("start", body)).replace("\ufffd", "")


@pytest.mark.parametrize("data", [STUDENTS, STUDENTS * 3000, b"STUDENT_ID\n1\n\n2\n"])
def test_a_form_whose_lines_end_in_bare_line_feeds_is_accepted(curl: Curl, data: bytes) -> None:
    head, end = form([("file", File(b"DATA")), *curl.sign_in]).split(b"DATA")
    body = head.replace(b"\r\n", b"\n") + data + end.replace(b"\r\n", b"\n")
    assert verdict(curl.raw("start", body)) == "OK update 1 accepted"
    update = UpdateJob.objects.get()
    assert update.file_size == len(data)


# --- Logins, passwords and tokens from text files


@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("after", ["", "\n", "\r\n", "\r"])
def test_a_login_and_a_password_may_come_from_a_text_file(
    curl: Curl, before: str, after: str
) -> None:
    login, password = f"{before}ops@maple.example{after}", f"{before}{PASSWORD}{after}"
    curl.sign_in = [("login", login), ("password", password)]
    assert verdict(curl.start()) == "OK update 1 accepted"


@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("after", ["", "\n", "\r\n", "\r"])
def test_so_may_the_values_of_basic_authentication(curl: Curl, before: str, after: str) -> None:
    header = basic(f"{before}ops@maple.example", f"{before}{PASSWORD}{after}")
    answer = curl.post("start", [("file", File())], authorization=header)
    assert verdict(answer) == "OK update 1 accepted"


@pytest.mark.parametrize("before", ["\ufeff\ufeff", " ", "\n", "\u200b"])
def test_nothing_else_is_removed_from_a_password(curl: Curl, before: str, db: None) -> None:
    curl.sign_in[1] = ("password", before + PASSWORD)
    assert verdict(curl.start()) == "ERROR sign_in_failed"


@nothing_kept
@pytest.mark.parametrize("field", ["login", "password"])
def test_a_text_file_in_utf_16_gets_a_hint(curl: Curl, field: str) -> None:
    values = {"login": "ops@maple.example", "password": PASSWORD}
    parts: dict[str, str | bytes] = {**values, field: f"{values[field]}\r\n".encode("utf-16")}
    curl.sign_in = list(parts.items())
    assert first_line(curl.start()) == (
        f"ERROR field_is_utf16: the {field} was sent from a file that is saved as UTF-16; "
        "save the file as UTF-8, in PowerShell with Set-Content -Encoding utf8"
    )


def test_an_option_may_come_from_a_text_file(curl: Curl) -> None:
    assert verdict(curl.start(None, ("mode", "\ufeffadd\r\n"))) == "OK update 1 accepted"
    assert UpdateJob.objects.get().mode == "add"
