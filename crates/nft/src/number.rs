//! Enumerations that are numbers in the kernel.

/// Declares an enumeration whose variants have the kernel's numbers.
macro_rules! numbered {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:expr,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All of them.
            #[cfg(test)]
            #[allow(dead_code, reason = "not every enumeration is drawn from in tests")]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// The kernel's number.
            pub(crate) fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            #[allow(dead_code, reason = "families are told by the asker, not read")]
            /// The variant with the kernel's `number`, if it is one of those used here.
            pub(crate) fn from_number(number: u32) -> Option<Self> {
                match number { $(n if n == $number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use numbered;
