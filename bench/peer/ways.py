"""Four ways to update students from a file: django-import-export three times, and a plain loop."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import tablib
from django.db import transaction
from import_export import fields, resources, widgets
from import_export.instance_loaders import CachedInstanceLoader

from bench.peer.models import Student


class DefaultResource(resources.ModelResource):  # type: ignore[misc]
    """As it comes, but for the file's way to write a date and its names of columns."""

    dob = fields.Field(
        attribute="dob", column_name="dob", widget=widgets.DateWidget(format="%m/%d/%Y")
    )

    class Meta:
        model = Student
        exclude = ("id",)
        import_id_fields = ("student_id",)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """The model's names."""
        dataset.headers = [header.lower() for header in dataset.headers]


class SkipUnchangedResource(DefaultResource):
    """Its documented settings for large files and for files with few changes."""

    class Meta(DefaultResource.Meta):
        skip_unchanged = True
        report_skipped = False
        use_bulk = True


class BestResource(SkipUnchangedResource):
    """Read all students of the file at once, without differences as HTML: the fastest we found.

    ``skip_diff`` is not set: without the differences it would write every student.
    """

    class Meta(SkipUnchangedResource.Meta):
        instance_loader_class = CachedInstanceLoader
        skip_html_diff = True


def load(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a file as the model's values."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        names = [name.lower() for name in next(reader)]
        for row in reader:
            values: dict[str, object] = dict(zip(names, row, strict=True))
            values["dob"] = datetime.strptime(str(values["dob"]), "%m/%d/%Y").date()  # noqa: DTZ007
            yield values


def naive(path: Path) -> None:
    """One row after the other, in one transaction."""
    with transaction.atomic():
        for values in load(path):
            Student.objects.update_or_create(student_id=values.pop("student_id"), defaults=values)


def _importing(resource: type[DefaultResource]) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            dataset = tablib.Dataset().load(file, format="csv")
        resource().import_data(dataset, raise_errors=True)

    return run


WAYS: dict[str, Callable[[Path], None]] = {
    "best": _importing(BestResource),
    "skip-unchanged": _importing(SkipUnchangedResource),
    "defaults": _importing(DefaultResource),
    "naive": naive,
}
