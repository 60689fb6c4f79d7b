"""The peer project's one app."""

from django.apps import AppConfig


class Peer(AppConfig):
    """Students, and nothing else."""

    name = "bench.peer"
    label = "peer"
