"""A Django project for django-oauth-toolkit, as its "Getting started" makes one, without what only pages need."""

import os

from psycopg.conninfo import conninfo_to_dict

_YEAR_S = 365 * 24 * 3600

_database = conninfo_to_dict(os.environ["DATABASE_URL"])

DEBUG = False
SECRET_KEY = "signs nothing that is measured"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "urls"
LOGGING_CONFIG = None

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]
# No sessions and no CSRF tokens: token, introspection and guarded page use neither.
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database["dbname"],
        "USER": _database["user"],
        "PASSWORD": _database["password"],
        "HOST": _database["host"],
        "CONN_MAX_AGE": None,  # a thread keeps its connection
    }
}

OAUTH2_PROVIDER = {
    "SCOPES": {"aemp:read": "Read the fleet", "introspection": "Introspect tokens"},
    "DEFAULT_SCOPES": ["aemp:read"],
    "PKCE_REQUIRED": False,
    "ACCESS_TOKEN_EXPIRE_SECONDS": _YEAR_S,
}
