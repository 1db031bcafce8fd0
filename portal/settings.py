"""Settings, read from the environment or `.env` (interface.md, "Settings")."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.environment import Environment
from portal.rates import Rate
from portal.secret_files import made_on_first_start

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
VAR_DIR.mkdir(exist_ok=True)

env = Environment(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY") or made_on_first_start(VAR_DIR / "secret_key", debug=DEBUG)
FERNET_KEYS = env.words("FERNET_KEYS") or [made_on_first_start(VAR_DIR / "fernet_key", debug=DEBUG)]

# Where we are
SITE_URL = env.web_address("SITE_URL", "http://127.0.0.1:8000")
_site = urlsplit(SITE_URL)
HTTPS = _site.scheme == "https"
ALLOWED_HOSTS = [_site.hostname or "127.0.0.1", *env.words("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 0, least=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "portal.apps.GuardedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_q",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "tenants",
    "syncengine",
    "portal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.AnswerHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.languages.ViewersLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.session_scope.ScopeMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "portal.observed.Observed",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database; the options for SQLite are those of stack.md
_database = env.database("DATABASE_URL", "sqlite:///var/ledgerbridge.sqlite3")
if _database["ENGINE"].endswith("sqlite3"):
    _database["NAME"] = str(BASE_DIR / _database["NAME"])
    # No mmap_size: a mapped file counts as the process's own memory, 40 MB more at 10,000 vendors. A cache of 20 MB for
    # each connection made the worker no quicker than one of 8.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-8000;"
            "PRAGMA journal_size_limit=67108864;PRAGMA temp_store=MEMORY"
        ),
    }
else:
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker and cache: a message is only a wake-up (stack.md, "django-q2")
REDIS_URL = env.redis("REDIS_URL")
WORKERS = env.whole("WORKERS", 2)
Q_CLUSTER: dict[str, Any] = {
    "name": "ledgerbridge",
    "workers": WORKERS,
    "queue_limit": 1,
    "bulk": 1,
    "timeout": 300,
    "retry": 960,
    "poll": 0.2,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "label": "Worker queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}
# Limits and short-lived notes: all processes must see the same, so without Redis the files of this machine hold them
_cache_files = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": VAR_DIR / "cache",
    "OPTIONS": {"MAX_ENTRIES": 5000},
}
_cache_redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
CACHES = {"default": _cache_redis if REDIS_URL else _cache_files}

# Accounts
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SIGNUP = env.one_of("SIGNUP", "open", ("open", "invite", "closed"))
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
LOGIN_RATE = env.rate("LOGIN_RATE", "20/min")
# axes counts by person and address; a limit by address alone would lock out a whole office
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "portal.accounts.attempted_email"
AXES_CLIENT_IP_CALLABLE = "portal.addresses.client_address"
_logins = Rate.parse(LOGIN_RATE)
AXES_FAILURE_LIMIT = _logins.limit
AXES_COOLOFF_TIME = timedelta(seconds=_logins.seconds)
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_TEMPLATE = "429.html"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "portal.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "portal.forms.second_factor.LimitedAuthenticateForm",
    "reauthenticate": "portal.forms.second_factor.LimitedReauthenticateForm",
}
MFA_TOTP_ISSUER = "Ledgerbridge"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers themselves allow passkeys over http:// on localhost only

EMAIL_URL = env.email("EMAIL_URL")
vars().update({key: value for key, value in EMAIL_URL.items() if key.startswith("EMAIL_")})
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"ledgerbridge@{_site.hostname}")

# Browser security follows SITE_URL's scheme, never DEBUG
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^metrics$"]  # asked from inside, in front of no proxy
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# The preload list binds a whole domain for years: its owner asks for that, not a portal on one of its hosts.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

# Time, language, static files
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fi", "Suomi")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
FORMAT_MODULE_PATH = "portal.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.static_files.HashedStaticFiles"},
}
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

# REST API
API_RATE = env.rate("API_RATE", "6000/min")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.authentication.ApiKeyAuthentication",
        "portal.api.authentication.SessionAccess",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.api.permissions.HasRole"],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.renderers.ExactJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "portal.api.pagination.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": ["portal.api.throttling.PerKey"],
    "EXCEPTION_HANDLER": "portal.api.problems.problem_details",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ledgerbridge",
    "VERSION": "1",
    "DESCRIPTION": "Drives Ledgerbridge from other tools: set up, ping, run, look into records, replay.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "tenants.models.Role",
        "KeyRoleEnum": "portal.api.shapes.people.KEY_ROLE_CHOICES",
        "RunStatusEnum": "syncengine.models.RunStatus",
        "RunModeEnum": "syncengine.models.RunMode",
        "ModeToAskForEnum": "syncengine.models.MODES_TO_ASK_FOR",
        "DeliveryStateEnum": "syncengine.models.DeliveryState",
        "RecordStatusEnum": "syncengine.models.RecordStatus",
    },
    "PREPROCESSING_HOOKS": ["portal.api.schema.only_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.api.schema.with_problems",
        "portal.api.schema.with_headers",
        "portal.api.schema.with_no_other_fields",
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,  # what is sent has narrower rules than what is shown
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Outbound calls
OUTBOUND_ALLOW = env.networks("OUTBOUND_ALLOW")
OUTBOUND_ALLOW_HTTP = env.flag("OUTBOUND_ALLOW_HTTP", default=False)
# Whether integrations may be tried out on sandbox servers, which the worker runs on the loopback of its machine
SANDBOX = env.flag("SANDBOX", default=DEBUG)
SANDBOX_DIR = VAR_DIR / "sandboxes"
BASWARE_STORAGE_HOSTS = env.words("BASWARE_STORAGE_HOSTS", ["*.amazonaws.com", "*.basware.com"])
CALLS_IN_FLIGHT = env.whole("CALLS_IN_FLIGHT", 4)
PLAN_HOURS = env.whole("PLAN_HOURS", 24)
CALL_BODY_DAYS = env.whole("CALL_BODY_DAYS", 30, least=0)
AUDIT_DAYS = env.whole("AUDIT_DAYS", 3650)
AUDIT_ANCHOR = BASE_DIR / env.text("AUDIT_ANCHOR", "var/audit-anchors.jsonl")
METRICS_TOKEN = env.text("METRICS_TOKEN")
TRACES_URL = env.web_address("TRACES_URL")
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = TRUSTED_PROXIES > 0  # else anybody chooses what our log calls them

# Time-outs and delays in seconds: interface.md says what each means
CONNECT_TIMEOUT = env.seconds("CONNECT_TIMEOUT", 10)
READ_TIMEOUT = env.seconds("READ_TIMEOUT", 60)
POST_TIMEOUT = env.seconds("POST_TIMEOUT", 180)
BODY_TIMEOUT = env.seconds("BODY_TIMEOUT", 120)
RETRY_DELAYS = env.delays("RETRY_DELAYS", [2, 8, 30, 120])
LOOKUP_DELAYS = env.delays("LOOKUP_DELAYS", [5, 30])
REPOST_AFTER = env.seconds("REPOST_AFTER", 600, zero=True)
STATUS_POLLS = env.delays("STATUS_POLLS", [0.5, 1, 2, 4, 8, 15, 30])
SWEEP_SECONDS = env.seconds("SWEEP_SECONDS", 3600)
SWEEP_AGE = env.seconds("SWEEP_AGE", 900, zero=True)
LEASE_SECONDS = env.seconds("LEASE_SECONDS", 30)
WATCHDOG_SECONDS = env.seconds("WATCHDOG_SECONDS", 60)

# Logs go to standard error: standard output carries only what commands promise
LOG_FORMAT = env.one_of("LOG_FORMAT", "console", ("console", "json"))
LOG_LEVEL = env.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "portal.logs.formatter", "log_format": LOG_FORMAT},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django_structlog": {"level": "WARNING"},
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "axes": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},  # at DEBUG it writes whole URLs, and those of webhooks are secrets
    },
}
