"""Django's settings, with the values that ``environment.py`` reads.

Importing them creates no files or folders.
"""

from pathlib import Path
from urllib.parse import urlsplit

from django.utils.functional import SimpleLazyObject

from rollbook import environment
from rollbook.db.url import postgresql_settings
from rollbook.log_format import FORMATTERS
from rollbook.secret_keys import load_newest_or_create
from rollbook.security_headers import HSTS_SECONDS

# The folder of the database, uploaded files, keys, certificate and mail.
DATA = environment.DATA.read()
KEYS = DATA / "keys"
SPOOL = DATA / "spool"

# Read or created at first use, so processes that sign nothing don't create it. Before the first
# request, key_ring.py replaces both by the versions that are in use.
SECRET_KEY = SimpleLazyObject(lambda: load_newest_or_create(KEYS, "session").hex())
SECRET_KEY_FALLBACKS: list[str] = []
DEBUG = False

# The public address. Links in answers and emails use it, never the Host header of a request.
URL = environment.URL.read()
ALLOWED_HOSTS = [*filter(None, [urlsplit(URL).hostname]), "localhost", "127.0.0.1", "[::1]"]
BEHIND_PROXY = environment.BEHIND_PROXY.read()
TRUSTED_PROXIES = environment.TRUSTED_PROXIES.read()
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ROOT_URLCONF = "rollbook.urls"
APPEND_SLASH = False

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rollbook.districts",
    "rollbook.accounts",
    "rollbook.students",
    "rollbook.updates",
    "rollbook.operations",
    "rollbook.mail",
    "rollbook.jobs",
    "rollbook.web.pages.base",
]
MIDDLEWARE = [
    "rollbook.web.middleware.request_id",
    "rollbook.web.middleware.require_known_host",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "rollbook.web.middleware.wait_for_migration",  # what follows needs tables of this version
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",  # sets the Content-Length of responses
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SECURE_HSTS_SECONDS = HSTS_SECONDS
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [URL]  # behind a proxy the Host header may differ
CSRF_FAILURE_VIEW = "rollbook.web.pages.base.errors.form_expired"

# Sessions of the pages; accounts/auth/sessions.py defines how long they last.
SESSION_ENGINE = "rollbook.accounts.auth.sessions"
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
AUTHENTICATION_BACKENDS = ["rollbook.accounts.auth.sessions.Backend"]
LOGIN_URL = "sign-in"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Only our own style sheet, scripts and images; nothing inline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# The style sheet and htmx are served from the packages; browsers cache them for an hour.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # an email is unique among the members who sign in with it
    "security.W005",  # whether HSTS includes subdomains is the operator's decision
    "security.W021",  # and so is preloading
    "security.W008",  # plain HTTP is refused, not redirected, so scripts that use it get fixed
]

# PostgreSQL if DATABASE_URL is set, otherwise SQLite in the data folder.
DATABASE_URL = environment.DATABASE_URL.read()
ON_POSTGRESQL = bool(DATABASE_URL)
DATABASES = {
    "default": postgresql_settings(DATABASE_URL)
    if ON_POSTGRESQL
    else {
        "ENGINE": "rollbook.db.sqlite",
        "NAME": DATA / "rollbook.sqlite3",
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            # 64,000 pages are 256 MB. Until then, the worker copies them between two updates.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=64000;",
        },
    }
}
# Several processes may share a PostgreSQL database, also some of the version before.
MIGRATES_AT_START = not ON_POSTGRESQL or environment.MIGRATE_AT_START.read()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Member"
PASSWORD_HASHERS = ["rollbook.accounts.auth.password_hasher.Argon2id"]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Procrastinate is the job queue for many workers; it requires PostgreSQL.
if ON_POSTGRESQL:
    INSTALLED_APPS.append("procrastinate.contrib.django")

# Limits of an upload. docs/student-file.md lists the limits of the file's content.
MAX_ROWS = environment.MAX_ROWS.read()
MAX_UPLOAD_BYTES = environment.MAX_UPLOAD_BYTES.read()
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": sorted((Path(__file__).parent / "web" / "pages").glob("*/templates")),
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Email is sent by SMTP if a server is set, otherwise saved as files in the data folder.
MAIL_FOLDER = DATA / "mail"
EMAIL_HOST = environment.SMTP_HOST.read()
EMAIL_PORT = environment.SMTP_PORT.read()
EMAIL_HOST_USER = environment.SMTP_USER.read()
EMAIL_HOST_PASSWORD = environment.SMTP_PASSWORD.read()
_SECURITY = environment.SMTP_SECURITY.read()
EMAIL_USE_TLS = _SECURITY == "starttls"
EMAIL_USE_SSL = _SECURITY == "tls"
EMAIL_TIMEOUT = 30
EMAIL_FILE_PATH = MAIL_FOLDER
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
DEFAULT_FROM_EMAIL = environment.MAIL_FROM.read()

# What may read /metrics, and how districts are labeled there.
METRICS_TOKEN = environment.METRICS_TOKEN.read()
METRICS_NETWORKS = environment.METRICS_NETWORKS.read()
METRICS_DISTRICT_NAMES = environment.METRICS_DISTRICT_NAMES.read()

# Who is named in /.well-known/security.txt.
SECURITY_CONTACT = environment.SECURITY_CONTACT.read()

LOG_CLIENT_ADDRESS = environment.LOG_CLIENT_ADDRESS.read()
_LOG_LEVEL = environment.LOG_LEVEL.read()
# Debug lines of libraries may contain personal data, such as the parameters of SQL.
_LOG_LEVEL_OF_LIBRARIES = "INFO" if _LOG_LEVEL == "DEBUG" else _LOG_LEVEL
# Alerts of the operator; see docs/alerts.md.
OPERATOR_EMAIL = environment.OPERATOR_EMAIL.read()
PING_URL = environment.PING_URL.read()
PING_MINUTES = environment.PING_MINUTES.read()
BACKUP_MAX_AGE_HOURS = environment.BACKUP_MAX_AGE_HOURS.read()
SENTRY_DSN = environment.SENTRY_DSN.read()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": FORMATTERS[environment.LOG_FORMAT.read()]}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL_OF_LIBRARIES},
    "loggers": {
        "rollbook": {"level": _LOG_LEVEL},
        "django": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
        # Our middleware already logs a line for each request.
        "django.request": {"level": "CRITICAL"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # It logs the path, which may contain the token of an emailed link.
        "django.security.csrf": {"level": "CRITICAL"},
        # They log each job, and each failed connection, which we already log.
        "procrastinate": {"level": "WARNING"},
        "psycopg.pool": {"level": "ERROR"},
    },
}
