#!/usr/bin/env bash
# Builds the Dockerfile as IMAGE, in an engine that shares the machine's network:
#   CI_DOCKER_OPTIONS='--bridge=none --iptables=false' unshare -m bash .ci/with_docker.sh bash .ci/build_image.sh IMAGE
# Where no registry can be reached, it starts from images made of this machine's own Python and uv.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tars=$(mktemp -d)
trap 'rm -rf "$tars"' EXIT

"$CI_PYTHON" "$here/python_image.py" "$tars/python.tar" "$tars/uv.tar"
docker import -c 'ENV PATH=/usr/local/bin:/bin' -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    "$tars/python.tar" localhost/python >/dev/null
docker import "$tars/uv.tar" localhost/uv >/dev/null
# The classic builder where the client has no other. What the environment says of package indexes is handed on.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
docker build --network=host --quiet --tag "$1" \
    --build-arg PYTHON_IMAGE=localhost/python --build-arg UV_IMAGE=localhost/uv \
    --build-arg UV_DEFAULT_INDEX --build-arg UV_INDEX "$here/.."
docker image inspect --format '{{.Size}}' "$1" localhost/python | awk '
    { size[NR] = $1 / 1e6 }
    END { printf "image: %.0f MB, of which %.0f MB are ours\n", size[1], size[1] - size[2] }'
