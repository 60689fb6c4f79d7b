"""The settings of ``rollbook admin``: those of the server, but with Django's admin and its addresses instead of ours.

So the server that members reach has neither, whatever is asked of it.
"""

from rollbook.settings import *
from rollbook.settings import INSTALLED_APPS, SILENCED_SYSTEM_CHECKS

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "rollbook.web.operators",
    "django.contrib.admin.apps.SimpleAdminConfig",
]
MIGRATION_MODULES = {"admin": None}  # its one table would hold what our audit holds
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

# Nobody comes from elsewhere: no proxy is believed, and a page of another name that leads here finds nothing.
BEHIND_PROXY = False
SECURE_PROXY_SSL_HEADER = None
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = []
CSRF_COOKIE_NAME = "__Host-operator-csrf"  # beside that of a server under the same name
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"

SILENCED_SYSTEM_CHECKS = [
    *SILENCED_SYSTEM_CHECKS,
    "admin.E408",  # who is let in is the business of entering.py:
    "admin.E409",  # no member is an operator,
    "admin.E410",  # and so there are no sessions of members here
]
