//! Makes the kernel hold what is wanted: links and settings, both tables in one batch, then the way to them.

use netlink::sysctl::{self, SysctlError};
use netlink::{Family, Link, Request};
use nft::{Base, Batch, Chain, ChainKind, Expr, Hook, Name, Register, Rule, Table, TableId};

use crate::error::Error;
use crate::observe::{Found, Ground, Pair, Routing, is_not_supported};
use crate::plan::pair::{PAIR, settings};
use crate::plan::routing::{route, rules};
use crate::plan::{PROBE_LINK, SWITCH_LINK, Tables};

/// The links by their indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) probe: u32,
    pub(crate) switch: u32,
}

impl Ground {
    /// The links with their settings, still down where they are new; and how many changes that took.
    pub(crate) fn make_links(&self, is_v6_wanted: bool) -> Result<(Links, usize), Error> {
        let (links, mut changes) = match self.pair()? {
            Pair::Sound { probe, switch } => (Links { probe: probe.index, switch: switch.index }, 0),
            Pair::Taken { name } => return Err(Error::Taken { name }),
            Pair::Absent => (self.new_pair()?, 1),
            Pair::Broken { index } => {
                self.handle.delete_link(index)?;
                (self.new_pair()?, 1)
            }
        };
        let unset = self.unset(settings(is_v6_wanted).collect())?;
        changes += unset.len();
        let set = move || {
            unset.iter().try_for_each(|setting| sysctl::set(&setting.parts, setting.value).map(|_| ()))
        };
        self.netns.run(set)?.map_err(|error: SysctlError| Error::from(error))?;
        Ok((links, changes))
    }

    fn new_pair(&self) -> Result<Links, Error> {
        self.handle.add_veth_pair(&PAIR)?;
        let index = |name| self.handle.link(name)?.map(|link| link.index).ok_or(Error::Vanished { name });
        Ok(Links { probe: index(PROBE_LINK)?, switch: index(SWITCH_LINK)? })
    }

    /// Both tables; the number of changes. Where the difference is refused, whatever is there is replaced.
    pub(crate) fn make_tables(&self, wanted: &Tables) -> Result<usize, Error> {
        let batch = difference(wanted, &self.tables()?);
        match self.nft.apply(&batch) {
            Ok(()) => return Ok(batch.changes().len()),
            // Whatever the reason, the whole is one more attempt, and its refusal is the one to tell.
            Err(error) if error.errno().is_some() => {}
            Err(error) => return Err(error.into()),
        }
        let batch = replacement(wanted);
        match self.nft.apply(&batch) {
            Ok(()) => Ok(batch.changes().len()),
            Err(error) => Err(match self.nft.apply(&forward_only()) {
                Err(source) if source.is_not_found() || is_not_supported(&source) => {
                    Error::NoForward { source }
                }
                Ok(()) | Err(_) => error.into(),
            }),
        }
    }

    /// Raises the links and leads the families that are carried to them, and no others; the number of changes.
    pub(crate) fn lead(&self, links: Links, carried: &[Family]) -> Result<usize, Error> {
        let mut changes = self.raise(links)?;
        for family in Family::BOTH {
            let found = self.routing(family)?;
            let steps = routing_steps(family, carried.contains(&family), links.probe, &found);
            self.handle.batch(&steps.add).map_err(|error| error.source)?;
            changes += steps.add.len() + self.remove_routing(&steps.remove)?;
        }
        Ok(changes)
    }

    fn raise(&self, links: Links) -> Result<usize, Error> {
        let mut down = Vec::new();
        for index in [links.switch, links.probe] {
            let is_down = self.handle.link_by_index(index)?.is_some_and(|link| !link.is_up);
            down.extend(is_down.then_some(index));
        }
        for index in &down {
            self.handle.request(&Link::up(*index))?;
        }
        for index in &down {
            // A veth drops frames until the kernel has worked off its "carrier on"; to be asked about the link makes
            // it do so.
            self.handle.link_by_index(*index)?;
        }
        Ok(down.len())
    }

    /// Everything of ours goes; the number of changes.
    pub(crate) fn remove_all(&self) -> Result<usize, Error> {
        let mut changes = 0;
        for (id, found) in Tables::ids().into_iter().zip(self.tables()?) {
            if found != Found::Absent {
                self.nft.remove_table(&id)?;
                changes += 1;
            }
        }
        for family in Family::BOTH {
            changes += self.remove_routing(&self.routing(family)?)?;
        }
        if let Pair::Sound { probe: Link { index, .. }, .. } | Pair::Broken { index } = self.pair()? {
            changes += usize::from(self.handle.delete_link(index)?);
        }
        Ok(changes)
    }

    fn remove_routing(&self, gone: &Routing) -> Result<usize, Error> {
        for rule in &gone.rules {
            self.handle.delete_rule(rule)?;
        }
        for route in &gone.routes {
            self.handle.delete_found_route(route)?;
        }
        Ok(gone.rules.len() + gone.routes.len())
    }
}

/// What to change in one family's routing. Routes come before the rules that lead to them.
#[derive(Debug)]
struct RoutingSteps {
    add: Vec<Request>,
    remove: Routing,
}

fn routing_steps(family: Family, is_carried: bool, probe_index: u32, found: &Routing) -> RoutingSteps {
    let wanted = if is_carried { rules(family).to_vec() } else { Vec::new() };
    let is_wanted = |rule: &netlink::Rule| rule.is_plain && wanted.contains(&rule.spec);
    let to_probe = |route: &netlink::Route| {
        is_carried
            && route.dst.prefix_len() == 0
            && route.gateway.is_none()
            && route.link_index == Some(probe_index)
    };
    let mut add = Vec::new();
    if is_carried && !found.routes.iter().any(to_probe) {
        add.push(route(family).replace(probe_index));
    }
    let missing =
        wanted.iter().filter(|spec| !found.rules.iter().any(|rule| rule.is_plain && rule.spec == **spec));
    add.extend(missing.map(netlink::RuleSpec::add));
    let remove = Routing {
        rules: found.rules.iter().filter(|rule| !is_wanted(rule)).cloned().collect(),
        routes: found.routes.iter().filter(|route| !to_probe(route)).copied().collect(),
    };
    RoutingSteps { add, remove }
}

fn difference(wanted: &Tables, found: &[Found; 2]) -> Batch {
    let mut batch = Batch::default();
    for (wanted, found) in [&wanted.inet, &wanted.netdev].into_iter().zip(found) {
        batch.append(match found {
            Found::Absent => nft::diff(wanted, None),
            Found::Table(table) => nft::diff(wanted, Some(table)),
            Found::Foreign => nft::replace(wanted),
        });
    }
    batch
}

fn replacement(wanted: &Tables) -> Batch {
    let mut batch = nft::replace(&wanted.inet);
    batch.append(nft::replace(&wanted.netdev));
    batch
}

/// A table that forwards and is gone again in the same batch.
fn forward_only() -> Batch {
    let id = TableId::netdev(Name::of("kube-ovn-can-forward"));
    let mut table = Table::new(id.clone());
    let device = Register::FIRST;
    let index = Expr::constant(1u32.to_ne_bytes().to_vec());
    let mut chain = Chain::base(Base::new(ChainKind::Filter, Hook::Ingress, 0).on(Name::of(SWITCH_LINK)));
    chain.rules.push(Rule::new([index, Expr::Forward { device, neighbour: None }]));
    table.chains.insert(Name::of("try"), chain);
    let mut batch = nft::replace(&table);
    batch.append(nft::remove(&id));
    batch
}

#[cfg(test)]
mod tests;
