//! Every kind of probe says what is true in the pod, in both families.

use std::time::{Duration, Instant};

use tests::command::Done;

use crate::kubelet::{DEADLINE, Verdict, assert_probe, exchange, get};
use crate::lab;
use crate::server::{Hung, Server, http2};
use crate::stage::{CLOSED, OPEN, PROBE_ADDRESSES, Stage};

const HUNG: u16 = 7777;
const FILTERED: u16 = 6666;
const REJECTED: u16 = 5555;

#[test]
fn kube_ovn_1_17_0_says_that_closed_and_hung_ports_are_open() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.probed("p", "net-a", "8080,8081,7777,6666,5555");
    let server = Server::web(&pod, "p", OPEN);
    let _hung = Hung::at(&pod, HUNG);
    pod.must("nft add table inet fw");
    pod.must("nft add chain inet fw in { type filter hook input priority 0 ; }");
    pod.must(&format!("nft add rule inet fw in tcp dport {FILTERED} drop"));
    pod.must(&format!("nft add rule inet fw in tcp dport {REJECTED} reject with tcp reset"));

    assert_probe(&lab.node, &pod.at(OPEN), Verdict::Open);
    let begin = Instant::now();
    assert_probe(&lab.node, &pod.at(CLOSED), Verdict::Refused);
    assert_probe(&lab.node, &pod.at(REJECTED), Verdict::Refused);
    assert!(begin.elapsed() < DEADLINE, "refused after {:?}", begin.elapsed());
    assert_probe(&lab.node, &pod.at(HUNG), Verdict::TimedOut);
    assert_probe(&lab.node, &pod.at(FILTERED), Verdict::TimedOut);

    drop(server);
    assert_probe(&lab.node, &pod.at(OPEN), Verdict::Refused);
}

#[test]
fn pods_of_two_vpcs_with_one_range_answer_by_name_over_http_grpc_and_tcp() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pods = [("a", "net-a"), ("b", "net-b")].map(|(name, net)| stage.probed(name, net, "8080,9000,9001"));
    let names = ["a", "b"];
    let _web = [0, 1].map(|n| Server::web(&pods[n], names[n], OPEN));
    let _grpc = pods.each_ref().map(|pod| Server::http2(pod, 9000));
    let _echo = pods.each_ref().map(|pod| Server::echo(pod, 9001));
    let body: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();

    for (pod, name) in pods.iter().zip(names) {
        for (family, probe) in PROBE_ADDRESSES.iter().enumerate() {
            let answer = curl(&lab, &format!("http://{}/healthz", pod.at(OPEN)[family])).expect_success();
            assert_eq!(answer.text(), format!("{name} {probe}"));
            lab.node.inside(|| {
                assert_eq!(get(pod.at(OPEN)[family]).unwrap(), format!("{name} {probe}"));
                assert_eq!(exchange(pod.at(9000)[family], http2::CLIENT).unwrap(), http2::SERVER);
                // Half-closed: the answer begins when the question has ended.
                assert!(exchange(pod.at(9001)[family], &body).unwrap() == body, "1 MiB there and back");
            });
        }
    }
}

#[test]
fn a_server_that_closes_after_the_kubelet_keeps_no_socket() {
    let Some(lab) = lab() else { return };
    let stage = Stage::start(&lab);
    let pod = stage.pod("p", "net-a");
    let _server = Server::echo(&pod, OPEN);

    for to in pod.at(OPEN) {
        // The kubelet's socket is gone when the server's last word comes: the answer to it belongs to nobody.
        lab.node.inside(|| drop(std::net::TcpStream::connect_timeout(&to, DEADLINE).unwrap()));
    }

    let lasting = || pod.must("ss -Htan state last-ack state close-wait state fin-wait-1");
    tests::wait::until("no socket in the pod", Duration::from_secs(20), || {
        lasting().trim().is_empty().then_some(())
    });
}

fn curl(lab: &tests::lab::Lab, url: &str) -> Done {
    lab.node.exec(&format!("curl -gsf --max-time 30 {url}"))
}
