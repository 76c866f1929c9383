//! The sixteen 32-bit words that expressions of a rule share.

/// `NFT_REG_1`, the first of four registers of 16 bytes.
const FIRST_LONG: u32 = 1;
/// `NFT_REG32_00`, the first of the same space cut into 16 words.
const FIRST_WORD: u32 = 8;
/// Words of the space.
const WORDS: u8 = 16;

/// A word of the register space, by its index; a longer value runs on into the words after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(u8);

impl Register {
    /// The first word, where most rules do their work (`NFT_REG_1`).
    pub const FIRST: Self = Self(0);

    /// Word `index` of the 16.
    pub const fn word(index: u8) -> Option<Self> {
        if index < WORDS { Some(Self(index)) } else { None }
    }

    /// The first word behind a value of `len` bytes that starts here.
    pub fn after(self, len: u32) -> Option<Self> {
        let words = u8::try_from(len.div_ceil(4)).ok()?;
        Self::word(self.0.checked_add(words)?)
    }

    /// The number as the kernel prints it: the long name where one begins here.
    pub(crate) fn number(self) -> u32 {
        let index = u32::from(self.0);
        if index.is_multiple_of(4) { FIRST_LONG + index / 4 } else { FIRST_WORD + index }
    }

    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let index = match number {
            1..=4 => (number - FIRST_LONG) * 4,
            8.. => number - FIRST_WORD,
            _ => return None,
        };
        Self::word(u8::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_of_a_register_are_one_word() {
        assert_eq!(Register::from_number(8), Some(Register::FIRST));
        assert_eq!(Register::from_number(1), Some(Register::FIRST));
        assert_eq!(Register::from_number(12), Register::from_number(2));
        assert_eq!(Register::from_number(9).unwrap().number(), 9);
        assert_eq!(Register::from_number(0), None);
        assert_eq!(Register::from_number(24), None);
    }

    #[test]
    fn a_value_ends_at_the_next_whole_word() {
        assert_eq!(Register::FIRST.after(6), Register::word(2));
        assert_eq!(Register::word(15).unwrap().after(4), None);
    }
}
