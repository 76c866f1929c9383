//! Plugin and daemon killed at every crash point, during ADD and DEL, with our own macvlan, the reference one and a veth of
//! OVN; then whatever comes next: the runtime's DEL, the same ADD again, another sandbox of the pod, or nothing but the end
//! of the namespace. Nothing is left behind by any of them.
//!
//! Every test prints what it found as a table (`--nocapture` shows it). Witnesses are `ip`, `vpcctl`, `ovs-vsctl` and
//! `ovn-nbctl`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod case;
mod points;
mod site;

use tests::binaries::CRASH_AT;
use tests::command::Done;
use tests::daemon::Daemon;
use tests::{ledger, wait};

use case::{Case, PATIENCE, Then};
use points::{DAEMON, PLUGIN, Point, Verb};
use site::{Form, Site, at};

#[test]
fn a_plugin_killed_anywhere_leaves_nothing_behind() {
    kill_plugins(Form::Own);
}

#[test]
fn an_address_plugin_killed_anywhere_leaves_nothing_behind() {
    kill_plugins(Form::Delegated);
}

#[test]
fn kube_ovn_1_17_0_a_daemon_killed_anywhere_in_an_add_leaves_nothing_behind() {
    kill_daemons(Form::Own, Verb::Add);
}

#[test]
fn a_daemon_killed_anywhere_in_a_delegated_add_leaves_nothing_behind() {
    kill_daemons(Form::Delegated, Verb::Add);
}

#[test]
fn a_daemon_killed_anywhere_in_a_del_leaves_nothing_behind() {
    kill_daemons(Form::Own, Verb::Del);
}

#[test]
fn a_daemon_killed_anywhere_in_a_delegated_del_leaves_nothing_behind() {
    kill_daemons(Form::Delegated, Verb::Del);
}

#[test]
fn a_plugin_killed_anywhere_leaves_nothing_of_a_veth_behind() {
    kill_plugins(Form::Veth);
}

#[test]
fn kube_ovn_1_17_0_a_daemon_killed_anywhere_in_an_add_leaves_nothing_of_a_veth_behind() {
    kill_daemons(Form::Veth, Verb::Add);
}

#[test]
fn a_daemon_killed_anywhere_in_a_del_leaves_nothing_of_a_veth_behind() {
    kill_daemons(Form::Veth, Verb::Del);
}

#[test]
fn a_daemon_killed_in_the_replay_of_a_del_replays_it_at_the_next_start() {
    at(Form::Own, |site| replay(site, &["del-unwired", "ledger-before-write", "ledger-after-write"]));
}

#[test]
fn a_daemon_killed_in_the_replay_of_a_veths_del_replays_it_at_the_next_start() {
    at(Form::Veth, |site| replay(site, &["veth-unplugged", "del-unwired", "ledger-after-write"]));
}

fn replay(site: &Site<'_>, points: &[&str]) {
    for (number, point) in points.iter().enumerate() {
        let case = Case::new(site, number);
        let mut daemon = site.daemon(&[]).wait_ready();
        case.add.run(site.lab).ok();
        daemon.kill9();
        case.call(Verb::Del).run(site.lab).ok();

        let mut dying = site.daemon(&[(CRASH_AT, point)]);
        wait::until("the daemon to be killed", PATIENCE, || dying.service().ended());
        assert!(dying.service().was_killed(), "{point}");

        daemon.restart();
        assert_eq!(case.links(), Vec::<String>::new(), "{point}");
        site.assert_empty();
    }
}

/// Every point that the verbs pass in this form, with everything that may come next.
fn combinations(
    points: &'static [Point],
    form: Form,
    verbs: &[Verb],
) -> impl Iterator<Item = (&'static Point, Verb, Then)> {
    let passed = verbs.iter().flat_map(move |&verb| {
        points.iter().filter(move |p| p.is_passed(verb, form)).map(move |p| (p, verb))
    });
    passed.flat_map(move |(point, verb)| Then::of(form).iter().map(move |&then| (point, verb, then)))
}

fn kill_plugins(form: Form) {
    at(form, |site| {
        let mut daemon = site.daemon(&[]).wait_ready();
        for (number, (point, verb, then)) in combinations(&PLUGIN, form, &[Verb::Add, Verb::Del]).enumerate()
        {
            let case = Case::new(site, number);
            kill_plugin(&mut daemon, &case, point, verb);
            outcome(case, ("plugin", point, verb), then);
        }
    });
}

#[track_caller]
fn kill_plugin(daemon: &mut Daemon<'_>, case: &Case<'_>, point: &Point, verb: Verb) {
    let lab = case.site.lab;
    if verb == Verb::Del {
        case.add.run(lab).ok();
    }
    if point.needs_no_daemon {
        daemon.kill9();
    }
    let killed = case.call(verb).env(CRASH_AT, point.name).run(lab).done;
    // The reference plugin reports the death of its address plugin as an error.
    assert!(!killed.success(), "{} was not passed: {killed:?}", point.name);
    if point.needs_no_daemon {
        daemon.restart();
    }
}

fn kill_daemons(form: Form, verb: Verb) {
    at(form, |site| {
        for (number, (point, verb, then)) in combinations(&DAEMON, form, &[verb]).enumerate() {
            let case = Case::new(site, number);
            let _daemon = kill_daemon(&case, point, verb);
            outcome(case, ("daemon", point, verb), then);
        }
    });
}

/// The daemon that was killed at the point and started again.
#[track_caller]
fn kill_daemon<'a>(case: &Case<'a>, point: &Point, verb: Verb) -> Daemon<'a> {
    let site = case.site;
    if verb == Verb::Del {
        let _healthy = site.daemon(&[]).wait_ready();
        case.add.run(site.lab).ok();
    }
    let mut daemon = site.daemon(&[(CRASH_AT, point.name)]).wait_ready();
    let done: Done = case.call(verb).run(site.lab).done;
    // A DEL is left on disk; an ADD is the runtime's to repeat.
    assert_eq!(done.success(), verb == Verb::Del, "{}: {done:?}", point.name);
    wait::until("the daemon to be killed", PATIENCE, || daemon.service().ended());
    assert!(daemon.service().was_killed(), "{}", point.name);
    daemon.restart();
    daemon
}

/// Looks at what the crash left, lets the next thing come, and asserts that nothing is left after it.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the table; libtest shows it with --nocapture or a failed test")]
fn outcome(case: Case<'_>, (who, point, verb): (&str, &Point, Verb), then: Then) {
    let Site { lab, form, .. } = *case.site;
    let what = format!("{who} {verb:?} {form:?} {}", point.name);
    let expected = point.held_after(verb);
    // Of an earlier case nothing is left but what a slow daemon began late, and the sweep takes that.
    let found = wait::until_or(PATIENCE, || Some(ledger::held(lab)).filter(|h| expected.contains(&h.len())));
    let found = found.unwrap_or_else(|| panic!("{what}: {:?}, not {expected:?}", ledger::held(lab)));
    let links = case.links();
    let (site, is_settled) = (case.site, expected.len() == 1);
    case.follow(then, if is_settled { &found } else { &[] });
    site.assert_empty();
    println!(
        "{what:52} {:14} {:6} {:12} nothing left",
        found.join(" "),
        links.join(" "),
        format!("{then:?}")
    );
}
