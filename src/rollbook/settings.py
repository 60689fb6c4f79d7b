"""Django's settings, with the values that ``environment.py`` reads. Importing them creates no file and no folder."""

from pathlib import Path

from django.utils.functional import SimpleLazyObject

from rollbook import environment
from rollbook.db.url import postgresql
from rollbook.secret_keys import secret

# The folder of the database, uploaded files, keys, certificate and mail.
DATA = environment.DATA.read()
KEYS = DATA / "keys"
SPOOL = DATA / "spool"

# Read, or created, at first use: by a process that signs something, not by one that only looks.
SECRET_KEY = SimpleLazyObject(lambda: secret(KEYS, "session").hex())
DEBUG = False

# The address people use; links in answers and mails begin with it, never with a Host header somebody sent.
URL = environment.URL.read()
ALLOWED_HOSTS = ["*"]
BEHIND_PROXY = environment.BEHIND_PROXY.read()
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
    "rollbook.jobs",
    "rollbook.web.pages.base",
]
MIDDLEWARE = [
    "rollbook.web.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",  # for the Content-Length of answers
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [URL]  # behind a proxy the Host header may be another one
CSRF_FAILURE_VIEW = "rollbook.web.pages.base.errors.form_expired"

# Who is signed in to the pages; accounts/auth/sessions.py holds how long.
SESSION_ENGINE = "rollbook.accounts.auth.sessions"
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
AUTHENTICATION_BACKENDS = ["rollbook.accounts.auth.sessions.Backend"]
LOGIN_URL = "sign-in"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Nothing but our own style sheet, scripts and pictures; nothing inline.
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

# The style sheet and htmx, as they stand in the packages; browsers ask again after an hour.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # what else runs under the host's domain, and
    "security.W021",  # whether browsers preload it, is not ours to promise
    "security.W008",  # plain HTTP is refused, not redirected: a script that sends a password there must be mended
]

# PostgreSQL where one is named, else a file in the data folder.
DATABASE_URL = environment.DATABASE_URL.read()
ON_POSTGRESQL = bool(DATABASE_URL)
DATABASES = {
    "default": postgresql(DATABASE_URL)
    if ON_POSTGRESQL
    else {
        "ENGINE": "rollbook.db.sqlite",
        "NAME": DATA / "rollbook.sqlite3",
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            " PRAGMA wal_autocheckpoint=8000;",  # pages, 32 MB: what is written again and again is copied once
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Member"
PASSWORD_HASHERS = ["rollbook.accounts.auth.password_hasher.Argon2id"]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Procrastinate is the job queue of any number of workers; its tables need PostgreSQL.
if ON_POSTGRESQL:
    INSTALLED_APPS.append("procrastinate.contrib.django")

# What an upload may be at most. The file's own limits are named in docs/student-file.md.
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

# Mail: a real SMTP server when one is named, else files in the data folder.
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

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "rollbook.log_format.Line"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
        # Our middleware has a line for each request already.
        "django.request": {"level": "CRITICAL"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.csrf": {
            "level": "CRITICAL"
        },  # it tells the path, which may hold the token of a mailed link
        # A line for each job, and one for each attempt to reach a database that is away, of which we tell already.
        "procrastinate": {"level": "WARNING"},
        "psycopg.pool": {"level": "ERROR"},
    },
}
