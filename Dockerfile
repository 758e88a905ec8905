# The service's image: hash-checked packages and the service in one virtual environment, on a slim base.

# The same Python as below, with a C compiler.
FROM python:3.13.16-trixie AS build
# true makes the rooms of every request machine code, which takes a minute or two.
ARG COMPILED=false
WORKDIR /build
# Without pip, so that what runs in production cannot install anything.
RUN python -m venv --without-pip /opt/rovitracker
# The packages change more seldom than the code: a layer of their own.
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --disable-pip-version-check --python /opt/rovitracker/bin/python \
    install --require-hashes --requirement requirements.txt
# What compiles stays in this stage.
COPY requirements-compile.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --disable-pip-version-check --python /opt/rovitracker/bin/python \
    install --require-hashes --target tools --requirement requirements-compile.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY app app
COPY sql sql
# Built by the pinned hatchling and mypyc of the layers above, so that nothing unpinned is fetched.
RUN HATCH_BUILD_HOOK_ENABLE_CUSTOM=$COMPILED PYTHONPATH="$PWD/tools" \
    python -m pip --disable-pip-version-check --python /opt/rovitracker/bin/python \
    wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --disable-pip-version-check --python /opt/rovitracker/bin/python \
    install --no-deps --no-index --find-links dist rovitracker-auth

FROM python:3.13.16-slim-trixie
# A fixed number, so that volumes and secrets can be given to it; no home, no shell.
RUN groupadd --gid 10001 rovitracker \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin rovitracker \
 && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /opt/rovitracker /opt/rovitracker
# /data is written only where the private servers are used; with database settings the root can be read-only.
ENV PATH=/opt/rovitracker/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ROVITRACKER_DATA_DIR=/data
WORKDIR /
USER 10001:10001
EXPOSE 8000
# http.client and not urlopen, which would ask a proxy named in the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; service = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('ROVITRACKER_PORT', '8000')), timeout=4); service.request('GET', '/health/ready'); sys.exit(service.getresponse().status != 200)"]
ENTRYPOINT ["rovitracker"]
CMD ["serve", "--host", "0.0.0.0"]
