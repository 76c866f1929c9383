# Act three: the kubelet's probes into the VPCs of act two, beside a plain TPROXY. The kubelet is root's connect() on the node.

beside=$tag-plain proxy='' servers=()

# What is missing, one word; nothing when all is there.
missing_for_probes() {
    local program
    missing_for_ovn | grep . && return
    for program in python3 nft curl; do
        command -v "$program" >/dev/null || { echo "$program"; return; }
    done
    # A kernel without the expression refuses the rule.
    nsenter --net="/run/netns/$node" -- nft -c 'table inet t { chain c { type filter hook prerouting priority mangle
        meta l4proto tcp tproxy ip to :1; }; }' 2>/dev/null || echo "the kernel's nft_tproxy"
}

# --- servers, and who asks them

# serve POD PORT: until unserve, which ends all. nsenter becomes the server, so that its pid is known.
serve() {
    command_line "python3 server.py $1 $2 &    # in $1"
    nsenter --net="/run/netns/$tag-$1" -- python3 scripts/demo/server.py "$1" "$2" &
    servers+=($!)
    await in_pod "$1" bash -c ": <>/dev/tcp/10.0.1.2/$2" || die "the server of $1 does not start"
}

# Braces and 2> keep bash from telling that they were killed.
unserve() {
    local server
    for server in "${servers[@]}"; do { kill "$server" && wait "$server"; } 2>/dev/null || true; done
    servers=()
}

# get NAMESPACE PORT
get() { in_netns "$1" curl -s --max-time 2 "http://10.0.1.2:$2"; }

# verdict NAMESPACE: what a tcpSocket probe of root's in that namespace says of 10.0.1.2:8080.
verdict() {
    local said
    if said=$(in_netns "$1" timeout 1 bash -c ': <>/dev/tcp/10.0.1.2/8080' 2>&1); then
        echo open
    elif [[ $said == *refused* ]]; then
        echo refused
    else
        echo "no answer"
    fi
}

# verdicts NAMESPACE COUNT: that of so many probes, each verdict with its number.
verdicts() {
    local probe
    for ((probe = 0; probe < $2; probe++)); do verdict "$1"; done | sort | uniq -c | sed 's/^ *//' | paste -sd,
}

row() { printf '     %-28s %-24s %s\n' "$@"; }

# both WHAT WANTED: one probe each, side by side; of ours this verdict is wanted.
both() {
    ours=$(verdict "$node") theirs=$(verdict "$beside")
    row "$1" "$ours" "$theirs"
    expect "the very next probe is $2" [ "$ours" = "$2" ]
}

# --- scenes

probed_pods() {
    scene "Two pods with one address, and a daemon that carries probes"
    tell "The daemon has one more flag, and the pods have probes. The node has an address, as every node has."
    ip -n "$outside" addr add 172.18.0.1/16 dev wan0
    run ip -n "$node" addr add 172.18.0.2/16 dev eth1
    run ip -n "$node" route add default via 172.18.0.1
    apply manifests/examples/vpc.yaml
    apply manifests/examples/vpc-probes.yaml
    daemon_flags+=(--enable-tproxy)
    command_line "kube-ovn-daemon --standalone=objects --state-dir=state --bind-socket=daemon.sock ${daemon_flags[*]} &"
    start_daemon
    run_pod ns1 vpc1-pod 10.0.1.2/24
    run_pod ns2 vpc2-pod 10.0.1.2/24
    serve vpc1-pod 8080
    show_vpcctl probe test ns1/vpc1-pod
    expect "the probe is green" vpcctl probe test ns1/vpc1-pod
}

# The rules of Kube-OVN's own TPROXY, in nft's words.
plain_rules() {
    cat <<'RULES'
table inet plain {
    chain output {
        type route hook output priority mangle
        meta skuid 0 ip daddr 10.0.1.2 tcp dport 8080 meta mark set 0x90003
    }
    chain prerouting {
        type filter hook prerouting priority mangle
        meta mark 0x90003 ip daddr 10.0.1.2 tcp dport 8080 tproxy ip to :8102 accept
    }
}
RULES
}

plain_tproxy() {
    scene "Beside it: a plain TPROXY"
    tell "A second network namespace, with what carries probes elsewhere: a proxy that accepts, then connects in the pod."
    ip netns add "$beside"
    ip -n "$beside" link set lo up
    ip -n "$beside" addr add 172.18.0.3/32 dev lo
    ip -n "$beside" route add default dev lo
    run ip -n "$beside" rule add fwmark 0x90003/0x90003 lookup 10001
    run ip -n "$beside" route add local default dev lo table 10001
    plain_rules | in_netns "$beside" nft -f -
    command_line "nft -f plain.nft"
    plain_rules | shown
    command_line "python3 plain_tproxy.py 8102 /run/netns/vpc1-pod &"
    nsenter --net="/run/netns/$beside" -- python3 scripts/demo/plain_tproxy.py 8102 "/run/netns/$tag-vpc1-pod" &
    proxy=$!
    await plain_get || die "the plain TPROXY does not work"
    expect "it works: a GET through it is answered" plain_get
}

plain_get() { get "$beside" 8080 | grep -F vpc1-pod; }

green_and_red() {
    scene "The server stops"
    tell "tcpSocket probes of 10.0.1.2:8080, one of each side by side:"
    local ours theirs
    row "the server" "carried by kube-ovn" "plain TPROXY"
    both "runs" open
    unserve
    both "is stopped" refused
    ours=$(verdicts "$node" 20) theirs=$(verdicts "$beside" 20)
    row "is stopped, 20 more" "$ours" "$theirs"
    expect "every one of ours is refused" [ "$ours" = "20 refused" ]
    expect "the plain TPROXY still says open" [ "${theirs#*open}" != "$theirs" ]
    show_vpcctl probe test ns1/vpc1-pod || true
    expect "the probe is red" not vpcctl probe test ns1/vpc1-pod
    serve vpc1-pod 8080
    both "runs again" open
}

each_by_its_name() {
    scene "One address in both VPCs: each answers by its own name"
    serve vpc2-pod 9090
    local port
    for port in 8080 9090; do
        command_line "curl http://10.0.1.2:$port    # on the node"
        get "$node" $port | shown
    done
    expect "port 8080 is vpc1-pod's" named 8080 vpc1-pod
    expect "port 9090 is vpc2-pod's" named 9090 vpc2-pod
}

named() { get "$node" "$1" | grep -F "I am $2,"; }

without_daemon() {
    scene "kill -9 the daemon"
    stop_daemon KILL || true
    tell "Nothing of it is in a probe's path:"
    expect "a probe is still open" [ "$(verdict "$node")" = open ]
    unserve
    expect "and still refused at once when the server stops" [ "$(verdict "$node")" = refused ]
    start_daemon
}

probes_leave() {
    scene "Everybody leaves"
    { kill "$proxy" && wait "$proxy"; } 2>/dev/null || true
    ip netns del "$beside"
    expect_del ns1/vpc1-pod vpc1-pod.json eth0
    expect_del ns2/vpc2-pod vpc2-pod.json eth0
    expect "the daemon ends when asked to" stop_daemon TERM
    tell "Started without --enable-tproxy it takes the probes' path away:"
    unset 'daemon_flags[-1]'
    start_daemon
    expect "the node has no rules and no link of it" no_path
    rm "$dir"/objects/*
    expect "OVN has no router and no switch of ours" await nothing_northbound
    expect "the daemon ends when asked to" stop_daemon TERM
}

no_path() { [ -z "$(in_netns "$node" nft list tables; ip -n "$node" -o link show type veth | grep -F prb)" ]; }

probes_into_vpcs() {
    act "the kubelet's probes into VPCs"
    local missing
    missing=$(missing_for_probes)
    if [ -n "$missing" ]; then
        tell "SKIPPED: $missing is not there; 'make setup' installs what Debian has."
        return
    fi
    probed_pods
    plain_tproxy
    green_and_red
    each_by_its_name
    without_daemon
    probes_leave
}
