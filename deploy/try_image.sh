#!/usr/bin/env bash
# Starts an image with embedded parts, waits until its own health check passes, and stops it: deploy/try_image.sh IMAGE
# Then does so as a user without a name in group 0, as OpenShift does.
# Without a Docker engine, deploy/replay_image.py does the same.
set -euo pipefail

image=${1:?usage: deploy/try_image.sh IMAGE}
container=
trap '[ -z "$container" ] || { docker logs "$container"; docker rm --force --volumes "$container" >/dev/null; }' EXIT

state() {
    docker inspect --format "$1" "$container"
}

for user in 10001:0 1000670000:0; do
    if [ -n "$container" ]; then docker rm --force --volumes "$container" >/dev/null; fi
    container=$(docker run --detach \
        --user "$user" \
        --env LABWHERE_DATABASE_URL=sqlite:///var/labwhere.db \
        --env MLWH_DATABASE_URL=sqlite:///var/mlwh.db \
        --env MLWH_EVENTS_DATABASE_URL=sqlite:///var/mlwh_events.db \
        --env MESSAGES_DIR=var/messages \
        --health-interval 2s "$image")
    for _ in $(seq 60); do
        health=$(state '{{.State.Health.Status}}')
        if [ "$health" = healthy ] || [ "$(state '{{.State.Running}}')" = false ]; then break; fi
        sleep 1
    done
    if [ "$health" != healthy ]; then
        echo "try_image.sh: the container of user $user is $health, not healthy" >&2
        exit 1
    fi
    docker stop --time 60 "$container" >/dev/null
    code=$(state '{{.State.ExitCode}}')
    if [ "$code" != 0 ]; then
        echo "try_image.sh: the daemon of user $user ended with exit code $code after SIGTERM, not 0" >&2
        exit 1
    fi
    echo "try_image.sh: healthy as user $user, and stopped with exit code 0"
done
