//! Random histories of a whole subnet against the naive model of each family.

use std::collections::BTreeMap;

use proptest::collection::vec;

use super::*;
use crate::model::{Model, ModelSpec, WIDTH, base};
use crate::recent::RECENT;

#[derive(Debug, Clone)]
enum ModelWish {
    None,
    Any,
    Exactly(u8),
    OneOf(Vec<(u8, u8)>),
}

#[derive(Debug, Clone)]
enum Op {
    Take { wishes: [ModelWish; 2], mac: Option<u8>, then_give_back: bool },
    Hold(bool, u8, Option<u8>),
    Release(bool, u8),
    SetAside(bool, u8),
    Readmit(bool, u8),
    Respec([Option<ModelSpec>; 2]),
}

/// The model of a subnet: one of each family, and who has which MAC.
struct Both {
    pools: [Model; 2],
    macs: BTreeMap<IpAddr, Mac>,
}

fn wish() -> impl Strategy<Value = ModelWish> {
    let listed = vec((0..WIDTH, 0..3_u8).prop_map(|(a, more)| (a, a + more)), 1..4);
    prop_oneof![
        2 => Just(ModelWish::None),
        6 => Just(ModelWish::Any),
        2 => (0..WIDTH).prop_map(ModelWish::Exactly),
        2 => listed.prop_map(ModelWish::OneOf),
    ]
}

fn specs() -> impl Strategy<Value = [Option<ModelSpec>; 2]> {
    let either = (ModelSpec::any(), ModelSpec::any(), 0..3_u8);
    either.prop_map(|(v4, v6, which)| [(which != 1).then_some(v4), (which != 2).then_some(v6)])
}

fn ops() -> impl Strategy<Value = Op> {
    let mac = || proptest::option::weighted(0.2, 0..4_u8);
    let take = ([wish(), wish()], mac(), any::<bool>());
    prop_oneof![
        6 => take.prop_map(|(wishes, mac, then_give_back)| Op::Take { wishes, mac, then_give_back }),
        1 => (any::<bool>(), 0..WIDTH, mac()).prop_map(|(v6, n, mac)| Op::Hold(v6, n, mac)),
        5 => (any::<bool>(), 0..WIDTH).prop_map(|(v6, n)| Op::Release(v6, n)),
        1 => (any::<bool>(), 0..WIDTH).prop_map(|(v6, n)| Op::SetAside(v6, n)),
        1 => (any::<bool>(), 0..WIDTH).prop_map(|(v6, n)| Op::Readmit(v6, n)),
        1 => specs().prop_map(Op::Respec),
    ]
}

fn family(v6: bool) -> Family {
    if v6 { Family::V6 } else { Family::V4 }
}

fn address(family: Family, n: u128) -> IpAddr {
    family.address(base(family) + n)
}

fn real_spec(specs: &[Option<ModelSpec>; 2]) -> SubnetSpec {
    let texts = Family::ALL.iter().zip(specs).filter_map(|(&family, spec)| Some(spec.as_ref()?.text(family)));
    let (cidrs, (gateways, excludes)): (Vec<_>, (Vec<_>, Vec<_>)) =
        texts.map(|(a, b, c)| (a, (b, c))).unzip();
    SubnetSpec::parse("net1", &cidrs.join(","), &gateways.join(","), &excludes.concat()).unwrap()
}

/// Static MACs 0 to 2 are good; 3 is a group.
fn real_mac(n: u8) -> Mac {
    Mac([if n == 3 { 3 } else { 2 }, 0, 0, 0, 0, n])
}

fn real_request(wishes: &[ModelWish; 2], mac: Option<u8>) -> Request {
    let mut request = Request { mac: mac.map(real_mac), ..Request::default() };
    for (family, wish) in Family::ALL.into_iter().zip(wishes) {
        let interval = |&(a, b): &(u8, u8)| {
            let base = base(family);
            Interval::new(base + u128::from(a), base + u128::from(b)).unwrap()
        };
        let wish = match wish {
            ModelWish::None => Wish::None,
            ModelWish::Any => Wish::Any,
            ModelWish::Exactly(n) => Wish::Exactly(address(family, (*n).into())),
            ModelWish::OneOf(listed) => Wish::OneOf(listed.iter().map(interval).collect()),
        };
        request.set(family, wish);
    }
    request
}

impl Both {
    fn new(specs: &[Option<ModelSpec>; 2]) -> Self {
        Self { pools: specs.clone().map(|spec| Model::new(spec, RECENT)), macs: BTreeMap::new() }
    }

    /// The addresses the model gives, or nothing when any part is refused.
    fn pick(&self, wishes: &[ModelWish; 2], mac: Option<u8>) -> Option<Vec<IpAddr>> {
        let mut given = Vec::new();
        for ((family, model), wish) in Family::ALL.into_iter().zip(&self.pools).zip(wishes) {
            let found = match wish {
                ModelWish::None => continue,
                ModelWish::Any => model.best(&BTreeSet::new()),
                ModelWish::Exactly(n) => model.first_of((*n).into(), (*n).into()),
                ModelWish::OneOf(listed) => {
                    listed.iter().find_map(|&(a, b)| model.first_of(a.into(), b.into()))
                }
            };
            given.push(address(family, found?));
        }
        let mac = mac.map(real_mac);
        let mac_is_free =
            mac.is_none_or(|mac| mac.is_unicast() && !self.macs.values().any(|&held| held == mac));
        (mac_is_free && !given.is_empty()).then_some(given)
    }

    fn hold(&mut self, ip: IpAddr, mac: Option<Mac>) {
        let family = Family::of(ip);
        self.pools[usize::from(family == Family::V6)].hold(number(ip) - base(family));
        if let Some(mac) = mac {
            self.macs.insert(ip, mac);
        }
    }
}

fn apply(op: &Op, subnet: &mut Subnet, model: &mut Both) -> Result<(), TestCaseError> {
    match op {
        Op::Take { wishes, mac, then_give_back } => {
            let before = subnet.clone();
            let picked = subnet.pick(&real_request(wishes, *mac));
            let given = picked.as_ref().ok().map(|pick| pick.addresses().addresses().collect::<Vec<_>>());
            prop_assert_eq!(given, model.pick(wishes, *mac), "{:?}", picked);
            let Ok(pick) = picked else { return Ok(()) };
            prop_assert!(!model.macs.values().any(|&held| held == pick.mac()), "{} is held", pick.mac());
            subnet.take(&pick).unwrap();
            if *then_give_back {
                subnet.give_back(&pick);
                prop_assert_eq!(&*subnet, &before);
            } else {
                pick.addresses().addresses().for_each(|ip| model.hold(ip, Some(pick.mac())));
            }
        }
        &Op::Hold(v6, n, mac) => {
            let ip = address(family(v6), n.into());
            subnet.hold(ip, mac.map(real_mac));
            model.hold(ip, mac.map(real_mac));
        }
        &Op::Release(v6, n) => {
            let ip = address(family(v6), n.into());
            subnet.release(ip);
            model.pools[usize::from(v6)].release(n.into());
            model.macs.remove(&ip);
        }
        &Op::SetAside(v6, n) => {
            subnet.set_aside(address(family(v6), n.into()));
            model.pools[usize::from(v6)].aside.insert(n.into());
        }
        &Op::Readmit(v6, n) => {
            subnet.readmit(address(family(v6), n.into()));
            model.pools[usize::from(v6)].aside.remove(&n.into());
        }
        Op::Respec(specs) => {
            subnet.respec(real_spec(specs));
            for (pool, spec) in model.pools.iter_mut().zip(specs) {
                pool.spec = spec.clone();
            }
        }
    }
    Ok(())
}

fn agree(subnet: &Subnet, model: &Both) -> Result<(), TestCaseError> {
    for (family, pool) in Family::ALL.into_iter().zip(&model.pools) {
        let shown = pool.spec.is_some() || !pool.held.is_empty();
        let available = pool.available().len() as u128;
        let wanted = shown.then_some(Counts { available, using: pool.held.len() as u128 });
        prop_assert_eq!(subnet.counts().get(family).copied(), wanted);
        let usage = subnet.usage();
        let counted =
            usage.get(family).map(|usage| Counts { available: usage.available, using: usage.using });
        prop_assert_eq!(counted, wanted);
    }
    let macs = model.macs.iter().map(|(&ip, &mac)| (ip, mac)).collect::<Vec<_>>();
    prop_assert_eq!(subnet.snapshot().macs, macs);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_subnet_does_what_the_naive_model_does(specs in specs(), ops in vec(ops(), 0..60)) {
        let mut subnet = Subnet::new(real_spec(&specs));
        let mut model = Both::new(&specs);
        for op in &ops {
            apply(op, &mut subnet, &mut model)?;
            agree(&subnet, &model)?;
        }
    }
}
