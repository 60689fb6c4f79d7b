"""Runs ``rollbook certificate``: shows, saves and verifies certificates of destruction."""

from argparse import Namespace

from rollbook.cli import certificate_output, output
from rollbook.cli.errors import FAILED, OK, CommandError
from rollbook.operations.lifecycle import certificates
from rollbook.operations.lifecycle.certificates import Verdict
from rollbook.operations.models import Destruction
from rollbook.text import format_timestamp

_HEADERS = ("number", "district", "what", "started", "finished")


def list_certificates(arguments: Namespace) -> int:
    """Print all certificates, and what is being destroyed now."""
    destructions = Destruction.objects.order_by("pk")
    if arguments.json:
        print(output.to_json([_to_json(destruction) for destruction in destructions]))
    elif destructions:
        rows = [_table_row(destruction) for destruction in destructions]
        print("\n".join(output.table(_HEADERS, rows)))
    else:
        print("Nothing was destroyed yet.")
    return OK


def show(arguments: Namespace) -> int:
    """Print a certificate."""
    certificate = _get_finished(arguments.number).signed_certificate
    if arguments.json:
        print(certificates.to_json(certificate), end="")
    else:
        print(certificates.to_text(certificate), end="")
    return OK


def save(arguments: Namespace) -> int:
    """Save a certificate as JSON and as text."""
    certificate_output.save(_get_finished(arguments.number), arguments.certificates)
    return OK


def verify(arguments: Namespace) -> int:
    """Verify the signature of a certificate, and which student it is about."""
    try:
        certificate = certificates.read(arguments.file)
    except certificates.NotACertificate as error:
        raise CommandError("not_a_certificate", str(error)) from None
    statement = certificate["statement"]
    verdict = certificates.verify(certificate)
    if verdict is Verdict.CHANGED:
        print("The certificate was changed after it was signed, or its signature is missing.")
        return FAILED
    if verdict is Verdict.FOREIGN:
        print("The certificate is unchanged, but another installation signed it.")
        return FAILED
    print(
        f"Certificate {statement['number']} is valid: {statement['destroyed']} of "
        f"{statement['district']['name']}, destroyed at {statement['finished_at']}."
    )
    if arguments.student_id is None:
        return OK
    if certificates.subject_digest(arguments.student_id) == statement["student_digest"]:
        print("It is about this student.")
        return OK
    print("It is not about this student.")
    return FAILED


def _get_finished(number: int) -> Destruction:
    destruction = Destruction.objects.filter(pk=number).first()
    if destruction is None:
        raise CommandError(
            "no_such_certificate",
            f"there is no certificate {number}; see `rollbook certificate list`",
        )
    if destruction.certificate is None:
        raise CommandError(
            "not_finished",
            f"what certificate {number} is about has not been removed completely; start a worker, "
            "or run the command that began it again",
        )
    return destruction


def _table_row(destruction: Destruction) -> tuple[str, ...]:
    return (
        str(destruction.pk),
        destruction.district_slug,
        destruction.what,
        format_timestamp(destruction.started_at, "UTC"),
        format_timestamp(destruction.finished_at, "UTC") or "not yet",
    )


def _to_json(destruction: Destruction) -> dict[str, object]:
    return {
        "number": destruction.pk,
        "district": destruction.district_slug,
        "what": destruction.what,
        "started_at": destruction.started_at,
        "finished_at": destruction.finished_at,
        "removed": destruction.counts,
    }
