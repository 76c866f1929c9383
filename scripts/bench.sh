#!/bin/bash
# Measures the release programs in dist/bin beside the reference plugins. BENCH_ROUNDS=50. See docs/benchmarks.md.
set -euo pipefail

cd "$(dirname "$0")/.."
KUBE_OVN_BIN_DIR=$(realpath "${KUBE_OVN_BIN_DIR:-dist/bin}")
export KUBE_OVN_BIN_DIR
exec cargo run --quiet --release -p tests --features bench --bin bench
