#!/bin/bash
# The guide's external network on one machine: a node, the outside world and three pods, in network namespaces of their own.
# Every step says what is done, shows the command and its result, and checks it; the exit status is not 0 when a check
# fails. Nothing outside these namespaces and one folder under /tmp is touched, the daemon's default socket least of all.
set -euo pipefail

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
bin=$(realpath -m "${KUBE_OVN_BIN_DIR:-dist/bin}")
reference=/usr/lib/cni
default_socket=/run/openvswitch/kube-ovn-daemon.sock
example=manifests/examples/external-network.yaml

tag=demo$$
node=$tag-node outside=$tag-out
dir='' daemon='' failures=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' dim='' green='' red='' plain=''
fi

# --- the telling

act=0
act() { act=$((act + 1)); printf '\n%s%d. %s%s\n' "$bold" "$act" "$1" "$plain"; }
tell() { printf '   %s\n' "$@"; }
command_line() { printf '   %s$ %s%s\n' "$dim" "${*//$dir\//}" "$plain"; }
shown() { sed "s|$dir/||g; s|$tag-||g; s/^/     /"; }

# Shows a command and its output; the command's status is the result.
run() { command_line "${@##*/dist/bin/}"; "$@" 2>&1 | shown; }

# expect WHAT COMMAND...: the command has to succeed.
expect() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf '   %s✓%s %s\n' "$green" "$plain" "$what"
    else
        printf '   %s✗ %s%s\n' "$red" "$what" "$plain"
        failures=$((failures + 1))
    fi
}

die() { echo "demo: $*" >&2; exit 1; }

# --- the stage

in_netns() { local netns=$1; shift; nsenter --net="/run/netns/$netns" -- "$@"; }

start_daemon() {
    # nsenter becomes the daemon, so this is the daemon's pid.
    nsenter --net="/run/netns/$node" -- "$bin/kube-ovn-daemon" --standalone="$dir/objects" --state-dir="$dir/state" \
        --bind-socket="$dir/daemon.sock" --metrics-addr= 2>>"$dir/daemon.log" &
    daemon=$!
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        vpcctl get subnet >/dev/null 2>&1 && return
        [ -e "/proc/$daemon" ] || break
        sleep 0.1
    done
    cat "$dir/daemon.log" >&2
    die "the daemon does not answer"
}

# stop_daemon SIGNAL: the daemon's exit status is the result. Braces and 2> keep bash from telling that it was killed.
stop_daemon() {
    local pid=$daemon status=0
    [ -n "$pid" ] || return 0
    daemon=''
    { kill "-$1" "$pid" && wait "$pid"; } 2>/dev/null || status=$?
    return "$status"
}

vpcctl() { "$bin/vpcctl" --socket "$dir/daemon.sock" "$@"; }
show_vpcctl() { command_line vpcctl "$@"; vpcctl "$@" 2>&1 | shown; }

# A container id as runtimes make them.
container() { sha256sum <<<"$tag-$1" | cut -d' ' -f1; }

# cni VERB CONF POD INTERFACE: calls the plugin that CONF names, with the environment that a runtime gives it.
cni() {
    local verb=$1 conf=$2 pod=$3 interface=$4 plugin status=0
    plugin=$(jq -r .type "$dir/$conf")
    command_line "CNI_COMMAND=$verb $plugin < $conf    # pod $pod, interface $interface"
    nsenter --net="/run/netns/$node" -- env -i PATH="$PATH" CNI_COMMAND="$verb" CNI_CONTAINERID="$(container "$pod")" \
        CNI_NETNS="/run/netns/$tag-$pod" CNI_IFNAME="$interface" CNI_PATH="$dir/plugins" \
        CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$pod;K8S_POD_UID=uid-$pod" \
        "$dir/plugins/$plugin" <"$dir/$conf" >"$dir/answer" 2>&1 || status=$?
    if jq -e .ips "$dir/answer" >/dev/null 2>&1; then
        jq -c '{ips: [.ips[] | {address}]}' "$dir/answer" | shown
    else
        shown <"$dir/answer"
    fi
    return "$status"
}

answered() { [ "$(jq -r '.ips[0].address' "$dir/answer")" = "$1" ]; }
reaches() { in_netns "$tag-$1" ping -n -q -c 1 -W 5 "$2"; }
has_interface() { in_netns "$tag-$1" ip link show "$2"; }
held() { vpcctl get ip -o json | jq -r '.items[].spec.ipAddress' | sort | xargs; }
holds() { local now; now=$(held) && [ "$now" = "$*" ]; }
not() { ! "$@"; }

# What of the machine the demo could have touched by mistake: its interfaces of these names, the default socket.
machine() { ip -o link show | grep -Eo '^[0-9]+: (eth1|wan0|net1)\>' || true; stat -c '%i %y' "$default_socket" 2>&1 || true; }

namespaces() { ip netns list | awk '{ print $1 }' | grep -x "$tag-.*" || true; }

clear_stage() {
    stop_daemon KILL || true
    local netns
    for netns in $(namespaces); do ip netns del "$netns"; done
    [ -z "$dir" ] || rm -rf "$dir"
    # iproute2 makes this mount on first use.
    if [ -z "$had_netns" ] && umount /run/netns 2>/dev/null; then rmdir /run/netns 2>/dev/null || true; fi
}

prepare() {
    [ "$(id -u)" -eq 0 ] || die "needs root, for network namespaces"
    local program
    for program in kube-ovn kube-ovn-daemon vpcctl; do
        [ -x "$bin/$program" ] || die "no $program in $bin: run 'make build' first"
    done
    [ -x "$reference/macvlan" ] || die "no $reference/macvlan: run 'make setup' first"
    had_netns=$([ -e /run/netns ] && echo yes || true)
    before=$(machine)
    trap clear_stage EXIT
    trap 'exit 130' INT TERM
    dir=$(mktemp -d "/tmp/$tag.XXXX")
    mkdir "$dir/objects" "$dir/plugins"
    ln -s "$reference"/* "$bin/kube-ovn" "$dir/plugins/"
}

# --- the play

node_and_world() {
    act "A node and the world outside"
    tell "Two network namespaces and a cable: the node's eth1 ends at a host that is nobody's pod."
    ip netns add "$node"
    ip netns add "$outside"
    ip -n "$node" link set lo up
    run ip link add eth1 netns "$node" type veth peer name wan0 netns "$outside"
    ip -n "$node" link set eth1 up
    ip -n "$outside" link set wan0 up
    run ip -n "$outside" addr add 192.168.0.1/24 dev wan0
}

objects_and_daemon() {
    act "The guide's Subnet, and a daemon without Kubernetes"
    tell "The Subnet and the NetworkAttachmentDefinition are the guide's, word for word."
    run cp "$example" "$dir/objects/"
    # Multus does these two: it takes the text out of spec.config, and names the network after the object.
    sed -n "/^  config: '/,/'\$/p" "$example" | sed "1s/^  config: '//; \$s/'\$//" |
        jq --arg socket "$dir/daemon.sock" '.name = "ovn-vpc-external-network" | .ipam.server_socket = $socket' \
            >"$dir/nad.json"
    jq '{cniVersion: "1.0.0", name, type: "kube-ovn", master, mode, server_socket: .ipam.server_socket,
         provider: .ipam.provider}' "$dir/nad.json" >"$dir/own.json"
    command_line "kube-ovn-daemon --standalone=objects --state-dir=state --bind-socket=daemon.sock &"
    start_daemon
    command_line "vpcctl get subnet | cut -c 1-112"
    vpcctl get subnet | cut -c 1-112 | shown
}

through_reference() {
    act "Two pods, wired by the reference macvlan plugin"
    tell "macvlan makes the interface and asks kube-ovn for the address: \"ipam\": {\"type\": \"kube-ovn\"}."
    ip netns add "$tag-web-1"
    ip netns add "$tag-web-2"
    cni ADD nad.json web-1 net1 || true
    expect "web-1 has the first address after excludeIps" answered 192.168.0.11/24
    cni ADD nad.json web-2 net1 || true
    expect "web-2 has the next one" answered 192.168.0.12/24
}

through_ours() {
    act "A third pod, wired by kube-ovn itself"
    tell "\"type\": \"kube-ovn\", \"master\": \"eth1\": the daemon makes the macvlan; no second plugin is started."
    ip netns add "$tag-web-3"
    cni ADD own.json web-3 net1 || true
    expect "web-3 has the next one" answered 192.168.0.13/24
    cni ADD own.json web-3 net1 || true
    expect "asked again, the answer is the same" answered 192.168.0.13/24
}

look() {
    act "What the node knows"
    show_vpcctl get ip
    show_vpcctl explain pod default/web-3
    expect "three addresses are held" holds 192.168.0.11 192.168.0.12 192.168.0.13
}

reach() {
    act "Out into the world"
    command_line "ping -c 1 192.168.0.1    # in each pod"
    local pod
    for pod in web-1 web-2 web-3; do expect "$pod reaches the outside host" reaches "$pod" 192.168.0.1; done
    expect "web-1 reaches web-3 too" reaches web-1 192.168.0.13
}

kill_and_recover() {
    act "kill -9 the daemon"
    command_line "kill -9 $daemon"
    stop_daemon KILL || true
    expect "nobody answers" not vpcctl get ip
    expect "the pods do not notice: web-1 still reaches the outside host" reaches web-1 192.168.0.1
    tell "A runtime may delete a pod just now. The plugin leaves the DEL on disk and succeeds:"
    expect_del web-3 own.json
    run ls "$dir/daemon.sock.pending"
    tell "Start it again: the other two are still there, and the DEL is made up for."
    start_daemon
    show_vpcctl get ip
    expect "web-1 and web-2 hold their addresses, web-3 does not" holds 192.168.0.11 192.168.0.12
    expect "web-3's interface is gone" not has_interface web-3 net1
}

expect_del() {
    local status=0
    cni DEL "$2" "$1" net1 || status=$?
    expect "the DEL of $1 succeeds" [ "$status" -eq 0 ]
}

finish() {
    act "Everybody leaves"
    expect_del web-1 nad.json
    expect_del web-2 nad.json
    expect "macvlan took its interface away" not has_interface web-2 net1
    tell "A DEL that is repeated succeeds as well:"
    expect_del web-2 nad.json
    show_vpcctl get ip
    expect "no address is held" holds
    show_vpcctl ipam check || true
    expect "the ledger and the sandboxes agree" vpcctl ipam check
    expect "the daemon ends when asked to" stop_daemon TERM
    expect "it took its socket away" [ ! -e "$dir/daemon.sock" ]
    clear_stage
    expect "no namespace, folder or process is left" [ -z "$(namespaces)$(ls -d "$dir" 2>/dev/null)" ]
    expect "interfaces of the machine and the default socket are as before" [ "$before" = "$(machine)" ]
    dir=''
}

prepare
node_and_world
objects_and_daemon
through_reference
through_ours
look
reach
kill_and_recover
finish

echo
if [ "$failures" -gt 0 ]; then
    echo "${red}$failures of the expectations failed${plain}"
    exit 1
fi
echo "${green}All as expected.${plain} Nothing is left on this machine. Next: README.md, \"Use it on a host without Kubernetes\"."
