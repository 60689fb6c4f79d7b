"""Settings of ``rollbook admin``: the server's settings with Django's admin instead of our pages.

The server that members use includes neither the admin nor its addresses.
"""

from rollbook.settings import *  # noqa: F403
from rollbook.settings import INSTALLED_APPS, SILENCED_SYSTEM_CHECKS

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "rollbook.web.operators",
    "django.contrib.admin.apps.SimpleAdminConfig",
]
MIGRATION_MODULES = {"admin": None}  # its only table is a log of changes, which our audit has
ROOT_URLCONF = "rollbook.web.operators.urls"
MIDDLEWARE = [
    "rollbook.web.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "rollbook.web.operators.one_time_login.operator",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Only browsers on this host connect: no proxy is trusted, and no other host name is accepted.
BEHIND_PROXY = False
SECURE_PROXY_SSL_HEADER = None
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = []
CSRF_COOKIE_NAME = "__Host-operator-csrf"  # differs from the cookie of a server with the same name
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"

SILENCED_SYSTEM_CHECKS = [
    *SILENCED_SYSTEM_CHECKS,
    # one_time_login.py signs operators in, not Django's authentication and session middleware.
    "admin.E408",
    "admin.E409",
    "admin.E410",
]
