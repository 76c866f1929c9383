//! What a subnet's status says of one family.

/// How many addresses are free and held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Free for dynamic claims: usable less excluded, gateway, held and set aside.
    pub available: u128,
    /// Held, also in `excludeIps` or outside the CIDR.
    pub using: u128,
}

/// [`Counts`] with the addresses, in the form of Kube-OVN's Subnet status: `a-b,c`.
///
/// The texts name every run, so they grow with fragmentation: a /16 of which every second address is held
/// makes half a megabyte. Ask for [`crate::Subnet::counts`] where the numbers are enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Free for dynamic claims, see [`Counts::available`].
    pub available: u128,
    /// Held, see [`Counts::using`].
    pub using: u128,
    /// The free addresses.
    pub available_ranges: String,
    /// The held addresses.
    pub using_ranges: String,
}
