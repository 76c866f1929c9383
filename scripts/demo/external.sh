# Act one: the guide's external network. Two pods through the reference macvlan plugin, one through ours.

node_and_world() {
    scene "A node and the world outside"
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
    scene "The guide's Subnet, and a daemon without Kubernetes"
    tell "The Subnet and the NetworkAttachmentDefinition are the guide's, word for word."
    run cp "$external" "$dir/objects/"
    external_confs
    daemon_flags=(--ovs-db= --ovn-nb=)
    command_line "kube-ovn-daemon --standalone=objects --state-dir=state --bind-socket=daemon.sock ${daemon_flags[*]} &"
    start_daemon
    command_line "vpcctl get subnet | cut -c 1-112"
    vpcctl get subnet | cut -c 1-112 | shown
}

through_reference() {
    scene "Two pods, wired by the reference macvlan plugin"
    tell "macvlan makes the interface and asks kube-ovn for the address: \"ipam\": {\"type\": \"kube-ovn\"}."
    pod web-1
    pod web-2
    cni ADD nad.json web-1 net1 || true
    expect "web-1 has the first address after excludeIps" answered 192.168.0.11/24
    cni ADD nad.json web-2 net1 || true
    expect "web-2 has the next one" answered 192.168.0.12/24
}

through_ours() {
    scene "A third pod, wired by kube-ovn itself"
    tell "\"type\": \"kube-ovn\", \"master\": \"eth1\": the daemon makes the macvlan; no second plugin is started."
    pod web-3
    cni ADD own.json web-3 net1 || true
    expect "web-3 has the next one" answered 192.168.0.13/24
    cni ADD own.json web-3 net1 || true
    expect "asked again, the answer is the same" answered 192.168.0.13/24
}

look() {
    scene "What the node knows"
    show_vpcctl get ip
    show_vpcctl explain pod default/web-3
    expect "three addresses are held" holds 192.168.0.11 192.168.0.12 192.168.0.13
}

reach() {
    scene "Out into the world"
    command_line "ping -c 1 192.168.0.1    # in each pod"
    local name
    for name in web-1 web-2 web-3; do expect "$name reaches the outside host" reaches "$name" 192.168.0.1; done
    expect "web-1 reaches web-3 too" reaches web-1 192.168.0.13
}

kill_and_recover() {
    scene "kill -9 the daemon"
    command_line "kill -9 $daemon"
    stop_daemon KILL || true
    expect "nobody answers" not vpcctl get ip
    expect "the pods do not notice: web-1 still reaches the outside host" reaches web-1 192.168.0.1
    tell "A runtime may delete a pod just now. The plugin leaves the DEL on disk and succeeds:"
    expect_del web-3 own.json net1
    run ls "$dir/daemon.sock.pending"
    tell "Start it again: the other two are still there, and the DEL is made up for."
    start_daemon
    show_vpcctl get ip
    expect "web-1 and web-2 hold their addresses, web-3 does not" holds 192.168.0.11 192.168.0.12
    expect "web-3's interface is gone" not has_interface web-3 net1
}

everybody_leaves() {
    scene "Everybody leaves"
    expect_del web-1 nad.json net1
    expect_del web-2 nad.json net1
    expect "macvlan took its interface away" not has_interface web-2 net1
    tell "A DEL that is repeated succeeds as well:"
    expect_del web-2 nad.json net1
    show_vpcctl get ip
    expect "no address is held" holds
    show_vpcctl ipam check || true
    expect "the ledger and the sandboxes agree" vpcctl ipam check
    expect "the daemon ends when asked to" stop_daemon TERM
    expect "it took its socket away" [ ! -e "$dir/daemon.sock" ]
}

external_network() {
    act "the guide's external network"
    node_and_world
    objects_and_daemon
    through_reference
    through_ours
    look
    reach
    kill_and_recover
    everybody_leaves
}
