//! The commonest phrases of rules: load and compare, load a key and look it up.

use crate::expr::{Expr, Found};
use crate::key::{Comparison, CtKey, Direction, MetaKey};
use crate::name::Name;
use crate::place::Place;
use crate::register::Register;
use crate::value::Field;

/// Something to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// What is known of the packet.
    Meta(MetaKey),
    /// Bytes of the packet.
    Payload(Place),
    /// What is known of its connection.
    Ct(CtKey),
    /// What is known of one direction of its connection.
    CtOf(CtKey, Direction),
}

impl Load {
    /// The expression that loads it.
    pub fn to(self, into: Register) -> Expr {
        match self {
            Self::Meta(key) => Expr::Meta { key, into },
            Self::Payload(place) => Expr::Payload { place, into },
            Self::Ct(key) => Expr::Ct { key, direction: None, into },
            Self::CtOf(key, direction) => Expr::Ct { key, direction: Some(direction), into },
        }
    }

    /// Goes on if it has this value.
    pub fn is(self, value: &Field) -> [Expr; 2] {
        self.compared(Comparison::Is, value)
    }

    /// Goes on if it has another value.
    pub fn is_not(self, value: &Field) -> [Expr; 2] {
        self.compared(Comparison::IsNot, value)
    }

    /// Goes on if any of these bits, counted in the machine's order, is set.
    pub fn has_any(self, bits: u32) -> [Expr; 3] {
        self.masked(bits, Comparison::IsNot, 0)
    }

    /// Goes on if none of these bits, counted in the machine's order, is set.
    pub fn has_none(self, bits: u32) -> [Expr; 3] {
        self.masked(bits, Comparison::Is, 0)
    }

    /// Goes on if those bits of it that `mask` has compare so with `value`, all in the machine's order.
    pub fn masked(self, mask: u32, comparison: Comparison, value: u32) -> [Expr; 3] {
        let register = Register::FIRST;
        let (mask, xor) = (mask.to_ne_bytes().to_vec(), vec![0; 4]);
        [
            self.to(register),
            Expr::Bitwise { from: register, into: register, mask, xor },
            Expr::Cmp { register, comparison, value: value.to_ne_bytes().to_vec() },
        ]
    }

    fn compared(self, comparison: Comparison, value: &Field) -> [Expr; 2] {
        let register = Register::FIRST;
        [self.to(register), Expr::Cmp { register, comparison, value: value.bytes() }]
    }

    fn byte_len(self) -> u32 {
        match self {
            Self::Meta(key) => key.byte_len(),
            Self::Payload(place) => place.len,
            Self::Ct(key) | Self::CtOf(key, _) => key.byte_len(),
        }
    }
}

/// Loads a concatenation from the first register on. What does not fit the 64 bytes that the kernel has is left out,
/// and the set whose key it is would be refused as well.
pub fn load(loads: &[Load]) -> Vec<Expr> {
    let mut next = Some(Register::FIRST);
    let mut exprs = Vec::with_capacity(loads.len());
    for load in loads {
        let Some(register) = next else { break };
        exprs.push(load.to(register));
        next = register.after(load.byte_len());
    }
    exprs
}

/// Goes on if the concatenation is in the set.
pub fn within(loads: &[Load], set: &Name) -> Vec<Expr> {
    look_up(loads, set, Found::GoOn)
}

/// Looks the concatenation up and does with it what `found` says.
pub fn look_up(loads: &[Load], set: &Name, found: Found) -> Vec<Expr> {
    let mut exprs = load(loads);
    exprs.push(Expr::Lookup { set: set.clone(), key: Register::FIRST, found });
    exprs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{IPV6_SOURCE, SOURCE_PORT};

    #[test]
    fn fields_of_a_key_lie_one_behind_the_other() {
        let exprs =
            load(&[Load::Meta(MetaKey::InputIndex), Load::Payload(IPV6_SOURCE), Load::Payload(SOURCE_PORT)]);

        let word = |index| Register::word(index).unwrap();
        assert_eq!(exprs[1], Expr::Payload { place: IPV6_SOURCE, into: word(1) });
        assert_eq!(exprs[2], Expr::Payload { place: SOURCE_PORT, into: word(5) });
    }
}
