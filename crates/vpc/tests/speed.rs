//! How long plans take. Asserts nothing about time; run by hand:
//! `cargo test --release -p vpc --test speed -- --ignored --nocapture`.

mod lab;

use std::time::Instant;

use lab::{add, port};
use vpc::{Facts, Survey, plan, plan_pod};

fn facts(ports: usize) -> Facts {
    let mut facts = Facts::default();
    for vpc in 0..100 {
        add(&mut facts, &format!("kind: Vpc\nmetadata: {{name: vpc-{vpc}}}\n"));
        for net in 0..10 {
            let yaml = format!(
                "kind: Subnet\nmetadata: {{name: net-{vpc}-{net}}}\nspec: {{vpc: vpc-{vpc}, cidrBlock: 10.{net}.0.0/16, enableDHCP: true}}\n"
            );
            add(&mut facts, &yaml);
        }
    }
    for number in 0..ports {
        let (vpc, net, host) = (number % 100, number / 100 % 10, number / 1000 + 2);
        let ip = format!("10.{net}.{}.{}", host / 256, host % 256);
        facts.ports.insert(port("ns", &format!("pod-{number}"), &format!("net-{vpc}-{net}"), &ip));
    }
    facts
}

#[test]
#[ignore = "a measurement"]
fn plans_of_many_ports() {
    for ports in [10_000, 100_000] {
        let facts = facts(ports);
        let start = Instant::now();
        let whole = plan(&facts);
        println!("{ports} ports: plan {:?}, {} rows", start.elapsed(), whole.wanted.len());
        assert!(whole.findings.is_empty());

        let start = Instant::now();
        let survey = Survey::of(&facts);
        println!("survey {:?}", start.elapsed());
        let start = Instant::now();
        assert_eq!(plan_pod(&survey, &facts.ports, "ns", "pod-77").wanted.len(), 1);
        println!("one pod {:?}", start.elapsed());
    }
}
