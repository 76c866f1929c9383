#!/bin/bash
# Builds the product's programs twice, without and with crash points, and runs all tests against them.
# The last line is "N passed, N failed, N skipped"; the exit status is not 0 when anything failed.
set -euo pipefail

cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
log=$target/test.log
export KUBE_OVN_BIN_DIR=$target/debug
export KUBE_OVN_CRASH_BIN_DIR=$target/crash
export KUBE_OVN_SKIPPED=$target/skipped.txt

products=(-p cni-plugin -p daemon -p vpcctl)

# With crash points first: cargo keeps both builds side by side, and the plain programs are those that stay in place.
cargo build --quiet "${products[@]}" --features cni-plugin/crash-points,daemon/crash-points
mkdir -p "$KUBE_OVN_CRASH_BIN_DIR"
for program in kube-ovn kube-ovn-daemon vpcctl; do
    cp -f "$target/debug/$program" "$KUBE_OVN_CRASH_BIN_DIR/$program"
done
cargo build --quiet "${products[@]}"

: >"$KUBE_OVN_SKIPPED"
status=0
cargo test --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?

sort -u -o "$KUBE_OVN_SKIPPED" "$KUBE_OVN_SKIPPED"
echo
cat "$KUBE_OVN_SKIPPED"
# A test that returns early because the machine cannot run it is counted by cargo as passed: it is skipped, not passed.
# A test program that died, or did not compile, has no result line: cargo's status says so.
awk -v skips="$(cut -d: -f1 "$KUBE_OVN_SKIPPED" | sort -u | wc -l)" -v status="$status" '
    /^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END {
        if (status != 0 && failed == 0) failed = 1
        printf "%d passed, %d failed, %d skipped\n", passed - skips, failed, ignored + skips
    }' "$log"
exit "$status"
