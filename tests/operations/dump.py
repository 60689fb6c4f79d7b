"""Print all rows of all tables as JSON: ``python -m tests.operations.dump``."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.core import serializers  # noqa: E402

SET_BY_OPERATIONS = {
    "accounts.installation",
    "accounts.retentionguard",
    "contenttypes.contenttype",
    "auth.permission",
}
"""What a restore or a move changes itself, and what Django creates."""

rows = []
for model in apps.get_models():
    is_compared = model._meta.app_label != "procrastinate"
    if is_compared and model._meta.label_lower not in SET_BY_OPERATIONS:
        rows += serializers.serialize("python", model._default_manager.order_by("pk"))
own = [
    row
    for row in rows
    if row["model"] != "accounts.auditevent" or row["fields"]["action"] != "restore"
]
kept = [row for row in own if row["fields"].get("agent") != "Rollbook server"]
json.dump(kept, sys.stdout, default=str)
