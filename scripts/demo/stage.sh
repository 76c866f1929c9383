# What all acts are played on: a node and the world outside as network namespaces, our daemon, and calls of plugins.

reference=/usr/lib/cni
default_socket=/run/openvswitch/kube-ovn-daemon.sock
external=manifests/examples/external-network.yaml

tag=demo$$
node=$tag-node outside=$tag-out
dir='' daemon='' daemon_flags=() ovn_pids=()

in_netns() { local netns=$1; shift; nsenter --net="/run/netns/$netns" -- "$@"; }
in_pod() { local pod=$1; shift; in_netns "$tag-$pod" "$@"; }

# --- the daemon

start_daemon() {
    # nsenter becomes the daemon, so this is the daemon's pid.
    nsenter --net="/run/netns/$node" -- "$bin/kube-ovn-daemon" --standalone="$dir/objects" --state-dir="$dir/state" \
        --bind-socket="$dir/daemon.sock" --metrics-addr= "${daemon_flags[@]}" 2>>"$dir/daemon.log" &
    daemon=$!
    await daemon_answers_or_ended && daemon_answers && return
    cat "$dir/daemon.log" >&2
    die "the daemon does not answer"
}

daemon_answers() { vpcctl get subnet >/dev/null 2>&1; }
daemon_answers_or_ended() { daemon_answers || [ ! -e "/proc/$daemon" ]; }

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

# --- pods

# pod NAME: an empty network namespace, as a runtime makes it. It would inherit the machine's own forwarding.
pod() {
    ip netns add "$tag-$1"
    ip -n "$tag-$1" link set lo up
    in_pod "$1" sysctl -qw net.ipv4.ip_forward=0
}

# A container id as runtimes make them.
container() { sha256sum <<<"$tag-$1" | cut -d' ' -f1; }

# cni VERB CONF [NAMESPACE/]POD INTERFACE: calls the plugin that CONF names, with the environment that a runtime gives it.
cni() {
    local verb=$1 conf=$2 namespace=default pod=${3##*/} interface=$4 plugin status=0
    [ "$pod" = "$3" ] || namespace=${3%%/*}
    plugin=$(jq -r .type "$dir/$conf")
    command_line "CNI_COMMAND=$verb $plugin < $conf    # pod $3, interface $interface"
    nsenter --net="/run/netns/$node" -- env -i PATH="$PATH" CNI_COMMAND="$verb" CNI_CONTAINERID="$(container "$pod")" \
        CNI_NETNS="/run/netns/$tag-$pod" CNI_IFNAME="$interface" CNI_PATH="$dir/plugins" \
        CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=$namespace;K8S_POD_NAME=$pod;K8S_POD_UID=uid-$pod" \
        "$dir/plugins/$plugin" <"$dir/$conf" >"$dir/answer" 2>&1 || status=$?
    if jq -e .ips "$dir/answer" >/dev/null 2>&1; then
        jq -c '{ips: [.ips[] | {address}]}' "$dir/answer" | shown
    else
        shown <"$dir/answer"
    fi
    return "$status"
}

answered() { [ "$(jq -r '.ips[0].address' "$dir/answer")" = "$1" ]; }

expect_del() {
    local status=0
    cni DEL "$2" "$1" "$3" || status=$?
    expect "the DEL of $1 succeeds" [ "$status" -eq 0 ]
}

# reaches POD ADDRESS: within five seconds; new routes take a moment.
reaches() { in_pod "$1" ping -n -q -c 1 -i 0.2 -w 5 "$2"; }
# One packet and one second: for what must not answer.
does_not_reach() { ! in_pod "$1" ping -n -q -c 1 -W 1 "$2"; }
has_interface() { in_pod "$1" ip link show "$2"; }
held() { vpcctl get ip -o json | jq -r '.items[].spec.ipAddress' | sort | xargs; }
holds() { local now; now=$(held) && [ "$now" = "$*" ]; }

# The file as Multus takes it out of the guide's NetworkAttachmentDefinition, and the same network wired by us.
external_confs() {
    sed -n "/^  config: '/,/'\$/p" "$external" | sed "1s/^  config: '//; \$s/'\$//" |
        jq --arg socket "$dir/daemon.sock" '.name = "ovn-vpc-external-network" | .ipam.server_socket = $socket' \
            >"$dir/nad.json"
    jq '{cniVersion: "1.0.0", name, type: "kube-ovn", master, mode, server_socket: .ipam.server_socket,
         provider: .ipam.provider}' "$dir/nad.json" >"$dir/own.json"
}

# --- before and after

# What of the machine the demo could have touched by mistake: its interfaces of these names, the default sockets.
machine() {
    ip -o link show | grep -Eo '^[0-9]+: (eth1|wan0|net1|br-int|ovs-netdev)\>' || true
    stat -c '%i %y' "$default_socket" /run/openvswitch/db.sock /run/ovn/ovnnb_db.sock 2>&1 || true
}

# Others' namespaces come and go while it looks.
namespaces() { ip netns list 2>/dev/null | awk '{ print $1 }' | grep -x "$tag-.*" || true; }

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

clear_stage() {
    stop_daemon KILL || true
    stop_ovn KILL
    local netns
    for netns in $(namespaces); do
        ip netns pids "$netns" | xargs -r kill -KILL
        ip netns del "$netns"
    done
    [ -z "$dir" ] || rm -rf "$dir"
    # iproute2 makes this mount on first use.
    if [ -z "$had_netns" ] && umount /run/netns 2>/dev/null; then rmdir /run/netns 2>/dev/null || true; fi
}

leave() {
    scene "Nothing is left"
    clear_stage
    expect "no namespace, folder or process is left" [ -z "$(namespaces)$(ls -d "$dir" 2>/dev/null)" ]
    expect "interfaces of the machine and the default sockets are as before" [ "$before" = "$(machine)" ]
    dir=''
}
