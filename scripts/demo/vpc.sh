# Act two: the guide's two VPCs with the same range, on OVN; then its own routes.

# apply FILE: each object of a YAML file in a file of its own, so that a later one replaces an earlier one of its name.
apply() {
    command_line "apply $1"
    awk -v RS='---\n' -v folder="$dir/objects" '{
        match($0, /(^|\n)kind: *[A-Za-z]+/); kind = substr($0, RSTART, RLENGTH); sub(/.*: */, "", kind)
        match($0, /\n  name: *[a-z0-9-]+/); name = substr($0, RSTART, RLENGTH); sub(/.*: */, "", name)
        whole = folder "/" kind "-" name ".yaml"; half = folder "/." kind "-" name
        printf "%s", $0 > half; close(half); system("mv " half " " whole)
    }' "$1"
}

# pod_conf POD: what the runtime makes of a Pod's annotations. The daemon leaves Pods alone; this is the kubelet's part.
pod_conf() {
    sed -n '/^  annotations:/,/^  [a-z]/s/^    \([^:]*\): *"\{0,1\}\([^"]*\)"\{0,1\}$/\1\t\2/p' "$dir/objects/Pod-$1.yaml" |
        jq -R 'split("\t") | {(.[0]): .[1]}' | jq -s --arg socket "$dir/daemon.sock" \
        '{cniVersion: "1.0.0", name: "kube-ovn", type: "kube-ovn", server_socket: $socket,
          runtimeConfig: {"io.kubernetes.cri.pod-annotations": add}}' >"$dir/$1.json"
}

# run_pod NAMESPACE POD ADDRESS
run_pod() {
    pod "$2"
    pod_conf "$2"
    cni ADD "$2.json" "$1/$2" eth0 || true
    expect "$2 has $3" answered "$3"
}

vpcs_and_daemon() {
    scene "OVN, and the guide's two VPCs"
    tell "Northbound and southbound database, northd, and on the node Open vSwitch and ovn-controller, all private:"
    command_line "ovsdb-server nb.db &  ovsdb-server sb.db &  ovn-northd &  ovsdb-server ovs.db &  ovs-vswitchd &  ovn-controller &"
    start_ovn
    tell "The Vpcs, the Subnets (the same range twice) and the first two Pods are the guide's, word for word."
    apply manifests/examples/vpc.yaml
    daemon_flags=(--ovs-db="unix:$dir/ovs.sock" --ovn-nb="unix:$dir/nb.sock")
    command_line "kube-ovn-daemon --standalone=objects --state-dir=state --bind-socket=daemon.sock ${daemon_flags[*]} &"
    start_daemon
    nbctl wait-until Logical_Switch net2
    show_nbctl lr-list
    show_nbctl ls-list
}

pods_in_both() {
    scene "Pods in both"
    tell "The plugin's configuration names neither master nor other plugin: the daemon makes a veth into OVN."
    run_pod ns1 vpc1-pod 10.0.1.2/24
    run_pod ns2 vpc2-pod 10.0.1.2/24
    run_pod ns1 vpc1-peer 10.0.1.3/24
    run_pod ns2 vpc2-peer 10.0.1.4/24
    show_vpcctl get vpc
    command_line "vpcctl get subnet | cut -c 1-112"
    vpcctl get subnet | cut -c 1-112 | shown
}

who_reaches_whom() {
    scene "Everybody reaches their own kind, and nobody else"
    command_line "ping 10.0.1.3    # and so on, in each pod"
    expect "vpc1-pod reaches vpc1-peer, 10.0.1.3" reaches vpc1-pod 10.0.1.3
    expect "vpc2-pod does not: nobody in its VPC has 10.0.1.3" does_not_reach vpc2-pod 10.0.1.3
    expect "vpc2-pod reaches vpc2-peer, 10.0.1.4" reaches vpc2-pod 10.0.1.4
    expect "vpc1-pod does not: nobody in its VPC has 10.0.1.4" does_not_reach vpc1-pod 10.0.1.4
    expect "vpc1-pod reaches its gateway, 10.0.1.1" reaches vpc1-pod 10.0.1.1
    expect "so does vpc2-pod its own of the same address" reaches vpc2-pod 10.0.1.1
}

way_out() {
    scene "A way out: the guide's static default route"
    expect "vpc1-pod does not reach the outside host: its VPC has no way out" does_not_reach vpc1-pod 192.168.0.1
    tell "A pod that forwards: eth0 is 10.0.1.254 in the VPC, net1 a macvlan on the external network of act one."
    run_pod ns1 router 10.0.1.254/24
    cni ADD own.json ns1/router net1 || true
    local way
    way=$(jq -r '.ips[0].address' "$dir/answer")
    in_pod router sysctl -qw net.ipv4.ip_forward=1
    run ip -n "$outside" route add 10.0.1.0/24 via "${way%/*}"
    apply manifests/examples/vpc-routes.yaml
    expect "vpc1-pod reaches the outside host" reaches vpc1-pod 192.168.0.1
    expect "vpc2-pod still does not" does_not_reach vpc2-pod 192.168.0.1
}

policy() {
    scene "A policy that drops"
    tell "The same file has one: ip4.src==10.0.1.0/24 && ip4.dst==192.168.0.2. The outside host has that address, too."
    ip -n "$outside" addr add 192.168.0.2/24 dev wan0
    expect "the router, which is beyond the policy, reaches 192.168.0.2" reaches router 192.168.0.2
    expect "vpc1-pod does not" does_not_reach vpc1-pod 192.168.0.2
    expect "vpc1-pod still reaches 192.168.0.1" reaches vpc1-pod 192.168.0.1
    tell "What is in effect, and where each line comes from:"
    show_vpcctl routes test-vpc-1 || true
    expect "the default route is among them" routes_lead_to 10.0.1.254
}

routes_lead_to() { vpcctl routes test-vpc-1 | grep -wF "$1"; }

one_pod_explained() {
    scene "What is behind one pod"
    show_vpcctl explain pod ns1/vpc1-pod
    expect "every step of it is well" vpcctl explain pod ns1/vpc1-pod
}

damage() {
    scene "Somebody deletes a router of ours"
    show_nbctl lr-del test-vpc-1
    expect "it is made again" nbctl wait-until Logical_Router test-vpc-1
    nbctl --wait=hv sync
    expect "with all that was in it: vpc1-pod reaches the outside host" reaches vpc1-pod 192.168.0.1
    expect "and not what was not: vpc1-pod does not reach 192.168.0.2" does_not_reach vpc1-pod 192.168.0.2
}

vpcs_leave() {
    scene "Everybody leaves"
    expect_del ns1/router own.json net1
    local pod
    for pod in ns1/vpc1-pod ns2/vpc2-pod ns1/vpc1-peer ns2/vpc2-peer ns1/router; do
        expect_del "$pod" "${pod##*/}.json" eth0
        ip netns del "$tag-${pod##*/}"
    done
    expect "no address is held" holds
    expect "no port of a pod is left on br-int" [ -z "$(vsctl list-ports br-int)" ]
    tell "And the objects:"
    command_line "rm objects/*"
    rm "$dir"/objects/*
    expect "OVN has no router and no switch of ours" await nothing_northbound
    expect "the daemon ends when asked to" stop_daemon TERM
}

nothing_northbound() { [ -z "$(nbctl lr-list)$(nbctl ls-list)" ]; }

vpcs_on_ovn() {
    act "the guide's VPCs, on OVN"
    local missing
    missing=$(missing_for_ovn)
    if [ -n "$missing" ]; then
        tell "SKIPPED: $missing is not installed; 'make setup' installs it."
        return
    fi
    vpcs_and_daemon
    pods_in_both
    who_reaches_whom
    way_out
    policy
    one_pod_explained
    damage
    vpcs_leave
}
