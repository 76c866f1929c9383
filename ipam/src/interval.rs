//! A non-empty run of consecutive numbers.

use std::fmt;
use std::net::IpAddr;

use crate::family::{Family, number};

/// The numbers `first..=last`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    first: u128,
    last: u128,
}

impl Interval {
    /// `first..=last`, or nothing when they are the wrong way round.
    pub fn new(first: u128, last: u128) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Only `n`.
    pub fn single(n: u128) -> Self {
        Self { first: n, last: n }
    }

    /// Only the number of `ip` in its family.
    pub fn of(ip: IpAddr) -> Self {
        Self::single(number(ip))
    }

    /// The lowest number.
    pub fn first(self) -> u128 {
        self.first
    }

    /// The highest number.
    pub fn last(self) -> u128 {
        self.last
    }

    /// How many numbers; `u128::MAX` for the whole space, which has one more.
    pub fn count(self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether `n` is one of them.
    pub fn contains(self, n: u128) -> bool {
        self.first <= n && n <= self.last
    }

    /// What both have.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// Writes it as addresses of `family`: `a-b`, or `a` for one.
    pub fn display(self, family: Family) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            write!(f, "{}", family.address(self.first))?;
            if self.last > self.first {
                write!(f, "-{}", family.address(self.last))?;
            }
            Ok(())
        })
    }
}

/// `a-b`, or `a` for one, as plain numbers.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last > self.first {
            write!(f, "-{}", self.last)?;
        }
        Ok(())
    }
}
