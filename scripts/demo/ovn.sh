# A whole OVN of the demo's own: databases, northd, and the node's Open vSwitch on the userspace datapath. Everything is
# in the demo's folder and namespaces, in the foreground of this shell; the machine's /run/openvswitch is not touched.

schemas=(/usr/share/ovn/ovn-nb.ovsschema /usr/share/ovn/ovn-sb.ovsschema /usr/share/openvswitch/vswitch.ovsschema)

# What is missing for an OVN, one word; nothing when all is there.
missing_for_ovn() {
    local program schema
    for program in ovsdb-server ovsdb-tool ovs-vswitchd ovs-vsctl ovn-northd ovn-controller ovn-nbctl ovn-sbctl ethtool; do
        command -v "$program" >/dev/null || { echo "$program"; return; }
    done
    for schema in "${schemas[@]}"; do [ -e "$schema" ] || { echo "$schema"; return; }; done
}

nbctl() { ovn-nbctl --timeout=20 --db="unix:$dir/nb.sock" "$@"; }
show_nbctl() { command_line ovn-nbctl "$@"; nbctl "$@" 2>&1 | shown; }
vsctl() { ovs-vsctl --timeout=20 --db="unix:$dir/ovs.sock" "$@"; }

# on_node PROGRAM WORDS: in the background, inside the node's namespace; nsenter becomes the program.
on_node() {
    OVS_RUNDIR=$dir OVN_RUNDIR=$dir OVS_DBDIR=$dir nsenter --net="/run/netns/$node" -- "$@" -vsyslog:off -vconsole:off \
        --log-file="$dir/$1.log" >/dev/null 2>&1 &
    ovn_pids+=($!)
}

# database NAME SCHEMA: an empty one, served on NAME.sock.
database() {
    ovsdb-tool create "$dir/$1.db" "$2"
    on_node ovsdb-server "$dir/$1.db" --remote="punix:$dir/$1.sock" --unixctl="$dir/$1.ctl"
}

start_ovn() {
    database nb "${schemas[0]}"
    database sb "${schemas[1]}"
    database ovs "${schemas[2]}"
    await ls "$dir/nb.sock" "$dir/sb.sock" "$dir/ovs.sock" || die "the databases do not start, see $dir/ovsdb-server.log"
    nbctl init
    vsctl --no-wait init -- set Open_vSwitch . external_ids:system-id="$tag" external_ids:hostname="$tag" \
        external_ids:ovn-remote="unix:$dir/sb.sock" external_ids:ovn-encap-type=geneve \
        external_ids:ovn-encap-ip=127.0.0.1 external_ids:ovn-bridge-datapath-type=netdev \
        -- add-br br-int -- set Bridge br-int datapath_type=netdev fail_mode=secure other_config:disable-in-band=true
    on_node ovn-northd --ovnnb-db="unix:$dir/nb.sock" --ovnsb-db="unix:$dir/sb.sock" --unixctl="$dir/northd.ctl"
    on_node ovs-vswitchd "unix:$dir/ovs.sock" --disable-system --unixctl="$dir/vswitchd.ctl"
    on_node ovn-controller "unix:$dir/ovs.sock"
    ovn-sbctl --timeout=20 --db="unix:$dir/sb.sock" wait-until Chassis "$tag" other_config:datapath-type=netdev ||
        die "OVN does not start, see $dir/*.log"
}

# stop_ovn SIGNAL: readers first. Braces and 2> keep bash from telling that they were killed.
stop_ovn() {
    local at
    for ((at = ${#ovn_pids[@]} - 1; at >= 0; at--)); do
        { kill "-$1" "${ovn_pids[at]}" && wait "${ovn_pids[at]}"; } 2>/dev/null || true
    done
    ovn_pids=()
}
