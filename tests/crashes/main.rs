//! Plugin and daemon killed at every crash point, during ADD and DEL, with our own macvlan and the reference one; then
//! whatever comes next: the runtime's DEL, another sandbox of the pod, or nothing but the end of the namespace. Nothing
//! is left behind by any of them.
//!
//! Every test prints what it found as a table (`--nocapture` shows it). Witnesses are `ip` and `vpcctl`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod case;
mod points;

use serde_json::Value;
use tests::binaries::{Binaries, CRASH_AT};
use tests::cni;
use tests::command::Done;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, wait};

use case::{Case, PATIENCE, Then};
use points::{DAEMON, PLUGIN, Point, Verb};

/// The sweep, which frees what nobody asks about any more, is quick; it touches no sandbox that is there.
const FLAGS: [&str; 1] = ["--sweep-interval=0.2"];

/// Who makes the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// We do.
    Own,
    /// The reference macvlan, with our addresses.
    Delegated,
}

impl Form {
    fn conf(self, lab: &Lab) -> Value {
        match self {
            Self::Own => cni::own_macvlan(&lab.socket()),
            Self::Delegated => cni::guide_nad(&lab.socket()),
        }
    }
}

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
fn a_daemon_killed_in_the_replay_of_a_del_replays_it_at_the_next_start() {
    let Some(lab) = crashing() else { return };
    for (number, point) in
        ["del-unwired", "ledger-before-write", "ledger-after-write"].into_iter().enumerate()
    {
        let case = Case::new(&lab, Form::Own, number);
        let mut daemon = Daemon::start(&lab, &FLAGS);
        case.add.run(&lab).ok();
        daemon.kill9();
        case.call(Verb::Del).run(&lab).ok();

        let mut dying = Daemon::start_with(&lab, &FLAGS, &[(CRASH_AT, point)]);
        wait::until("the daemon to be killed", PATIENCE, || dying.service().ended());
        assert!(dying.service().was_killed(), "{point}");

        daemon.restart();
        assert_eq!(case.links(), Vec::<String>::new(), "{point}");
        ledger::assert_empty(&lab);
    }
}

/// A lab of crash builds with the guide's Subnet; `None`, and a word about it, on a machine that cannot do it.
fn crashing() -> Option<Lab> {
    let needed =
        [Requirement::Root, Requirement::Macvlan, Requirement::ReferencePlugins, Requirement::CrashBinaries];
    let binaries = needs_all(&needed).then(Binaries::crashing).flatten()?;
    let lab = Lab::builder().binaries(binaries).build();
    lab.write_object("guide.yaml", objects::GUIDE);
    Some(lab)
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
    passed.flat_map(|(point, verb)| Then::ALL.map(|then| (point, verb, then)))
}

fn kill_plugins(form: Form) {
    let Some(lab) = crashing() else { return };
    let mut daemon = Daemon::start(&lab, &FLAGS);
    let mut cases = 0..;
    for (point, verb, then) in combinations(&PLUGIN, form, &[Verb::Add, Verb::Del]) {
        let case = Case::new(&lab, form, cases.next().unwrap());
        kill_plugin(&mut daemon, &case, point, verb);
        outcome(case, ("plugin", point, verb), then);
    }
}

#[track_caller]
fn kill_plugin(daemon: &mut Daemon<'_>, case: &Case<'_>, point: &Point, verb: Verb) {
    if verb == Verb::Del {
        case.add.run(case.lab).ok();
    }
    if point.needs_no_daemon {
        daemon.kill9();
    }
    let killed = case.call(verb).env(CRASH_AT, point.name).run(case.lab).done;
    // The reference plugin reports the death of its address plugin as an error.
    assert!(!killed.success(), "{} was not passed: {killed:?}", point.name);
    if point.needs_no_daemon {
        daemon.restart();
    }
}

fn kill_daemons(form: Form, verb: Verb) {
    let Some(lab) = crashing() else { return };
    let mut cases = 0..;
    for (point, verb, then) in combinations(&DAEMON, form, &[verb]) {
        let case = Case::new(&lab, form, cases.next().unwrap());
        let _daemon = kill_daemon(&case, point, verb);
        outcome(case, ("daemon", point, verb), then);
    }
}

/// The daemon that was killed at the point and started again.
#[track_caller]
fn kill_daemon<'a>(case: &Case<'a>, point: &Point, verb: Verb) -> Daemon<'a> {
    if verb == Verb::Del {
        let _healthy = Daemon::start(case.lab, &FLAGS);
        case.add.run(case.lab).ok();
    }
    let mut daemon = Daemon::start_with(case.lab, &FLAGS, &[(CRASH_AT, point.name)]).wait_ready();
    let done: Done = case.call(verb).run(case.lab).done;
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
    let what = format!("{who} {verb:?} {:?} {}", case.form, point.name);
    let expected = point.held_after(verb);
    // Of an earlier case nothing is left but what a slow daemon began late, and the sweep takes that.
    let found =
        wait::until_or(PATIENCE, || Some(ledger::held(case.lab)).filter(|h| expected.contains(&h.len())));
    let found = found.unwrap_or_else(|| panic!("{what}: {:?}, not {expected:?}", ledger::held(case.lab)));
    let links = case.links();
    let lab = case.lab;
    let is_settled = expected.len() == 1;
    case.follow(then, if is_settled { &found } else { &[] });
    ledger::assert_empty(lab);
    println!(
        "{what:52} {:14} {:6} {:12} nothing left",
        found.join(" "),
        links.join(" "),
        format!("{then:?}")
    );
}
