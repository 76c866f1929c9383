//! One pod whose sandboxes come and go while its calls are cut off.

use std::time::Duration;

use serde_json::Value;
use tests::cni::Call;
use tests::command::{Done, LIMIT};
use tests::lab::Lab;
use tests::netns::Netns;
use tests::{wait, witness};

use crate::dice::Dice;
use crate::{PATIENCE, add, del};

/// The longest time after which a call is cut off, in microseconds: a little more than it takes on an idle machine.
const CUT_BEFORE: u64 = 40_000;

/// As many sandboxes of one pod are there at once.
const MOST: usize = 3;

/// A sandbox and the ADD that belongs to it.
struct Sandbox {
    netns: Netns,
    add: Call,
}

/// A pod of one form.
pub(crate) struct Pod<'a> {
    lab: &'a Lab,
    name: String,
    conf: Value,
    /// We make the interface: then an ADD may be repeated. The reference one fails and gives the address back.
    is_own: bool,
    /// Oldest first.
    sandboxes: Vec<Sandbox>,
    made: usize,
}

impl<'a> Pod<'a> {
    /// A pod whose interface this configuration makes.
    pub(crate) fn new(lab: &'a Lab, number: usize, conf: Value) -> Self {
        let name = format!("p{number}");
        let is_own = conf["type"] == "kube-ovn";
        Self { lab, name, conf, is_own, sandboxes: Vec::new(), made: 0 }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// One operation, cut off half of the time.
    pub(crate) fn operate(&mut self, dice: &mut Dice) {
        match dice.below(10) {
            0..=2 => self.add(dice),
            3..=5 => {
                self.sandbox();
                self.add(dice);
            }
            6..=8 => self.del(dice),
            _ => self.lose(dice),
        }
    }

    /// Makes the pod run: the newest sandbox, and none but it, has an interface.
    pub(crate) fn survive(&mut self) {
        if !self.is_own || self.sandboxes.is_empty() {
            self.sandbox();
        }
        self.sandboxes.drain(..self.sandboxes.len() - 1);
        wait::until(&format!("the ADD of {}", self.name), PATIENCE, || {
            let done = self.newest().add.run(self.lab).done;
            (done.success() || !is_for_later(&done.stdout)).then(|| done.expect_success())
        });
    }

    /// Ends the pod in one of the two ways in which pods end.
    pub(crate) fn die(&mut self, dice: &mut Dice) {
        let says_so = dice.hits(1, 2);
        for sandbox in self.sandboxes.drain(..).filter(|_| says_so) {
            del(&sandbox.add).run(self.lab).ok();
        }
    }

    /// The newest sandbox.
    pub(crate) fn netns(&self) -> &Netns {
        &self.newest().netns
    }

    /// The addresses of the pod's interface, without prefix lengths.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let addresses = witness::addresses(&self.newest().netns, "net1");
        addresses.iter().filter_map(|a| Some(a.split_once('/')?.0.to_owned())).collect()
    }

    fn newest(&self) -> &Sandbox {
        self.sandboxes.last().unwrap()
    }

    fn sandbox(&mut self) {
        if self.sandboxes.len() == MOST {
            self.sandboxes.remove(0);
        }
        let container = format!("{}-{}", self.name, self.made);
        self.made += 1;
        let netns = self.lab.pod(&container);
        let add = add(&self.conf, &netns, &self.name).container(&container);
        self.sandboxes.push(Sandbox { netns, add });
    }

    fn add(&mut self, dice: &mut Dice) {
        if self.sandboxes.is_empty() || !self.is_own {
            self.sandbox();
        }
        let (done, is_cut) = self.call(&self.newest().add, dice);
        let is_fine = done.success() || is_cut || is_for_later(&done.stdout);
        assert!(
            is_fine,
            "only a daemon that is killed, or a MAC that is still in use, fails an ADD: {done:?}"
        );
    }

    /// An old sandbox's DEL is late, the newest one's is not; both may come without end.
    fn del(&mut self, dice: &mut Dice) {
        if self.sandboxes.is_empty() {
            return;
        }
        let place = dice.place(self.sandboxes.len());
        let (done, is_cut) = self.call(&del(&self.sandboxes[place].add), dice);
        assert!(done.success() || is_cut, "a DEL always succeeds: {done:?}");
        if dice.hits(1, 2) {
            self.sandboxes.remove(place);
        }
    }

    /// The sandbox vanishes without a DEL.
    fn lose(&mut self, dice: &mut Dice) {
        if !self.sandboxes.is_empty() {
            self.sandboxes.remove(dice.place(self.sandboxes.len()));
        }
    }

    /// Runs a call, and cuts it off at some time when the dice say so. True when it was cut off.
    fn call(&self, call: &Call, dice: &mut Dice) -> (Done, bool) {
        let is_watched = dice.hits(1, 2);
        let patience = if is_watched { Duration::from_micros(dice.below(CUT_BEFORE)) } else { LIMIT };
        let done = call.spawn(self.lab).kill9_after(patience);
        let is_cut = is_watched && done.status.code().is_none();
        (done, is_cut)
    }
}

/// CNI's code for "the same call may succeed later".
fn is_for_later(stdout: &[u8]) -> bool {
    serde_json::from_slice::<Value>(stdout).is_ok_and(|error| error["code"] == 11)
}
