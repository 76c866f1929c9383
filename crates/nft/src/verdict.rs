//! What becomes of a packet.

use crate::expr::Expr;
use crate::name::Name;

/// The end of a rule, or the data of a verdict map (`enum nft_verdicts`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The packet goes on to the next hook (`NF_ACCEPT`).
    Accept,
    /// The packet is gone (`NF_DROP`).
    Drop,
    /// On with the next rule (`NFT_CONTINUE`).
    Continue,
    /// Leave this rule (`NFT_BREAK`).
    Break,
    /// Into another chain, and back at its end (`NFT_JUMP`).
    Jump(Name),
    /// Into another chain for good (`NFT_GOTO`).
    Goto(Name),
    /// Back to where this chain was called (`NFT_RETURN`).
    Return,
}

impl Verdict {
    /// `NFTA_VERDICT_CODE`.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Accept => 1,
            Self::Drop => 0,
            Self::Continue => -1,
            Self::Break => -2,
            Self::Jump(_) => -3,
            Self::Goto(_) => -4,
            Self::Return => -5,
        }
    }

    pub(crate) fn from_parts(code: i32, chain: Option<Name>) -> Option<Self> {
        Some(match code {
            1 => Self::Accept,
            0 => Self::Drop,
            -1 => Self::Continue,
            -2 => Self::Break,
            -3 => Self::Jump(chain?),
            -4 => Self::Goto(chain?),
            -5 => Self::Return,
            _ => return None,
        })
    }

    /// The chain it leads to.
    pub fn chain(&self) -> Option<&Name> {
        match self {
            Self::Jump(chain) | Self::Goto(chain) => Some(chain),
            Self::Accept | Self::Drop | Self::Continue | Self::Break | Self::Return => None,
        }
    }
}

impl From<Verdict> for Expr {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}
