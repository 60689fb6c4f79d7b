"""Keeps an audit event of what the operator did on the host, where nobody signs in."""

from rollbook.roster.models import District
from rollbook.staff import audit


def record(action: str, district: District, detail: str = "") -> None:
    """One thing was done; ``detail`` names no student and holds no secret."""
    audit.record(action, "done", district=district, agent="rollbook command", detail=detail)
