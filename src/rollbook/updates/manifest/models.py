"""The checked byte ranges of updates, their lots, and the manifests made of them."""

from django.db import models

from rollbook.districts.models import District


class CheckedRange(models.Model):
    """A byte range that has been checked: where it ends, and the records in it.

    ``fingerprints`` and ``student_ids`` are parallel arrays of integers, with one item for each
    record. Duplicates are found in them, and who was on a line; those of the update whose manifest
    is the current one are the manifest. A student's ID is negative if the record had a problem, and
    0 if it has no student. A million rows take 12 MB, of which 4 are kept until the details of the
    update expire; as table rows they would take ten times as much. See ``manifest/ranges.py``.
    """

    update = models.ForeignKey("updates.UpdateJob", on_delete=models.CASCADE, db_index=False)
    end_byte = models.PositiveBigIntegerField()
    end_line = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField(default=0, db_default=0)
    matched_rows = models.PositiveIntegerField(
        default=0, db_default=0, help_text="rows that are about an enrolled student"
    )
    student_ids = models.BinaryField()
    id_bytes = models.PositiveSmallIntegerField(
        default=8, db_default=8, help_text="of each student's ID"
    )
    line_numbers = models.BinaryField(
        help_text="compressed; empty if each record is one line, from first_line on"
    )
    fingerprints = models.BinaryField(
        default=b"",
        db_default=b"",
        help_text="see manifest/fingerprints.py; empty: no longer needed",
    )
    checksum = models.BinaryField(
        default=b"", db_default=b"", help_text="keyed hash of both arrays"
    )
    groups_from_line = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="from which line on the staged rows are counted; 0: they aren't",
    )
    staged_groups = models.TextField(
        default="", db_default="", help_text="their groups, see checking/staged_groups.py"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "end_line"], name="checked_range_end_line")
        ]


class FileLots(models.Model):
    """The lots of an update's file, and which of them the last file has, too.

    ``arrays`` are those of ``studentfile/reading/lots.py``, one after the other: 16 bytes a lot.
    They are removed once another update has completed.
    """

    update = models.OneToOneField("updates.UpdateJob", primary_key=True, on_delete=models.CASCADE)
    key = models.CharField(max_length=32, help_text="hash of the header and the rules")
    start_byte = models.PositiveBigIntegerField()
    start_line = models.PositiveIntegerField()
    line_end = models.BinaryField()
    open_orders = models.JSONField()
    arrays = models.BinaryField()
    checksum = models.BinaryField(help_text="keyed hash of the arrays")
    last_update = models.BigIntegerField(null=True, help_text="ID of the last file's update")
    last_records = models.PositiveIntegerField(default=0, help_text="number of its records")

    def __str__(self) -> str:
        return f"lots of {self.update}"


class AddedStudents(models.Model):
    """The new students of a chunk: parallel arrays of 64-bit integers.

    A student's ID is negative if the row had a problem.
    """

    update = models.ForeignKey("updates.UpdateJob", on_delete=models.CASCADE, db_index=False)
    number = models.PositiveBigIntegerField(
        help_text="the apply order of the last row of the chunk"
    )
    line_numbers = models.BinaryField()
    student_ids = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "number"], name="added_students_number")
        ]


class Manifest(models.Model):
    """What is known of a district's records: the ranges of the update that completed last.

    ``carried_…`` are those records of earlier files with the same header whose students the
    update's file didn't contain.
    """

    district = models.OneToOneField(District, primary_key=True, on_delete=models.PROTECT)
    update = models.OneToOneField("updates.UpdateJob", on_delete=models.PROTECT)
    key = models.CharField(max_length=32, help_text="hash of the key of its fingerprints")
    ranges = models.PositiveIntegerField(help_text="number of ranges of the update")
    rows = models.PositiveIntegerField(help_text="number of its records, with carried ones")
    carried_fingerprints = models.BinaryField()
    carried_student_ids = models.BinaryField()
    checksum = models.BinaryField(help_text="keyed hash of both arrays")

    def __str__(self) -> str:
        return f"manifest of {self.district}"
