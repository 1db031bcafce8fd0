# syntax=docker/dockerfile:1
# Two stages: what is needed to install stays behind. The image runs as nobody in particular, on a read-only root.
FROM python:3.11-slim AS build
# requirements-tracing.lock adds OpenTelemetry (TRACES_URL)
ARG LOCK=requirements.lock
WORKDIR /app
COPY requirements.lock requirements-tracing.lock ./
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r "$LOCK"
COPY pyproject.toml manage.py gunicorn.conf.py LICENSE ./
COPY deploy/alive.py deploy/alive.py
COPY tenants tenants
COPY syncengine syncengine
COPY portal portal
COPY templates templates
# The keys are of this step alone: collecting files needs none that matter.
RUN SECRET_KEY=build FERNET_KEYS=build /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /venv/bin/python -m compileall -q /venv /app \
    && rm -rf /app/var && mkdir /app/var

FROM python:3.11-slim
# pg_dump and pg_restore, for `manage.py backup` and `restore`
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 ledgerbridge \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin ledgerbridge
COPY --from=build /venv /venv
COPY --from=build /app /app
RUN chown 10001:10001 /app/var
WORKDIR /app
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json
USER 10001:10001
# What is written: var (SQLite, cache, audit anchors) and /tmp. Everything else may be read-only.
VOLUME ["/app/var"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=3 CMD ["python", "deploy/alive.py"]
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000"]
