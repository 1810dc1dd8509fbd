#!/bin/sh
# Builds the image of the Containerfile with the container engine that is there: Tools/image/build.sh [TAG]
# After a push the registry tells the digest that cserve deploy render --image wants.
set -eu
cd "$(dirname "$0")/../.."
tag=${1:-cserve:latest}
for engine in ${CONTAINER_ENGINE:-podman docker buildah}; do
    command -v "$engine" >/dev/null 2>&1 || continue
    # A client without its service is no engine.
    "$engine" info >/dev/null 2>&1 || { echo "$engine is there, but does not work here." >&2; continue; }
    echo "Building $tag with $engine"
    exec "$engine" build -f Containerfile -t "$tag" .
done
echo "There is no container engine. Install podman, docker or buildah, or set CONTAINER_ENGINE." >&2
exit 1
