#!/bin/bash
# Installs the Debian packages that the build and the tests need, only those that are missing.
# Says nothing when nothing is missing. Without root it names what is missing and goes on: tests skip what they cannot run.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
[ -d "$HOME/.cargo/bin" ] && PATH=$PATH:$HOME/.cargo/bin

# What has to be there, and the package that brings it. Looked for by file, so that other sources of it serve as well.
wanted=(
    cc:gcc
    /usr/include/stdlib.h:libc6-dev
    ip:iproute2
    nsenter:util-linux
    sysctl:procps
    ping:iputils-ping
    arping:arping
    ndisc6:ndisc6
    dhclient:isc-dhcp-client
    tcpdump:tcpdump
    curl:curl
    jq:jq
    python3:python3
    strace:strace
    nft:nftables
    /usr/lib/cni/macvlan:containernetworking-plugins
    containerd:containerd
    ctr:containerd
    runc:runc
    podman:podman
    ovsdb-server:openvswitch-switch
    ovs-pki:openvswitch-pki
    ovn-nbctl:ovn-common
    ovn-northd:ovn-central
    ovn-controller:ovn-host
    ethtool:ethtool
    openssl:openssl
)

missing() {
    local entry thing package
    for entry in "${wanted[@]}"; do
        thing=${entry%%:*} package=${entry#*:}
        case $thing in
            /*) [ -e "$thing" ] || echo "$package" ;;
            *) command -v "$thing" >/dev/null || echo "$package" ;;
        esac
    done | sort -u
}

if ! command -v cargo >/dev/null; then
    echo "setup: cargo is missing; install Rust from https://rustup.rs" >&2
    exit 1
fi

mapfile -t packages < <(missing)
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "setup: missing: ${packages[*]}" >&2
    echo "setup: as root on Debian: apt-get update && apt-get install ${packages[*]}" >&2
    exit 0
fi

echo "setup: installing ${packages[*]}"
# A package that brings a service also starts it, now and at boot. The tests start their own, each in a place of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
if command -v systemctl >/dev/null; then
    for package in $(printf '%s\n' "${packages[@]}" | grep -E '^(openvswitch|ovn)-' || true); do
        dpkg -L "$package" | sed -n 's|.*/systemd/system/\([^/]*\.service\)$|\1|p'
    done | while read -r unit; do systemctl disable --quiet "$unit" 2>/dev/null || true; done
fi
