#!/bin/bash
# The guide on one machine, in three acts: its external network on macvlan, its VPCs on OVN, and the kubelet's probes into
# them. A node, the outside world and the pods are network namespaces. Every step says what is done, shows the command and
# its result, and checks it; the exit status is not 0 when a check fails. Nothing outside these namespaces and one folder
# under /tmp is touched.
set -euo pipefail

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
bin=$(realpath -m "${KUBE_OVN_BIN_DIR:-dist/bin}")

for part in telling stage ovn external vpc probes; do
    # shellcheck source=/dev/null
    . "scripts/demo/$part.sh"
done

prepare
external_network
vpcs_on_ovn
probes_into_vpcs
stop_ovn TERM
leave

echo
if [ "$failures" -gt 0 ]; then
    echo "${red}$failures of the checks were NOT as expected${plain}"
    exit 1
fi
echo "${green}All as expected.${plain} Nothing is left on this machine. Next: README.md, \"Use it on a host without Kubernetes\"."
