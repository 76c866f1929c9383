//! Netlink attributes (`struct nlattr`): written, and walked without interpreting them.

/// Length of `struct nlattr`.
const HEADER_LEN: usize = 4;
/// `NLA_F_NESTED`.
const NESTED: u16 = 1 << 15;
/// `NLA_TYPE_MASK`: the number without its two flags.
const KIND_MASK: u16 = 0x3fff;

/// Attributes under way. One that is too long for its 16-bit length spoils the whole, which is asked at the end.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Writer {
    /// Goes on behind `bytes`.
    pub(crate) fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, is_too_long: false }
    }

    /// All bytes, or `None` when an attribute did not fit.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        Some(self.bytes).filter(|_| !self.is_too_long)
    }

    /// A value as it is.
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let at = self.open(kind);
        self.bytes.extend_from_slice(value);
        self.close(at);
    }

    /// A text with its NUL.
    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        let at = self.open(kind);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.close(at);
    }

    /// A number of 32 bits in network order, as nearly all of nfnetlink's.
    pub(crate) fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// A number of 64 bits in network order.
    pub(crate) fn long(&mut self, kind: u16, value: u64) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// Attributes within an attribute.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let at = self.open(kind | NESTED);
        fill(self);
        self.close(at);
    }

    /// A text as nft keeps it in user data: its type, its length in one byte, and itself with its NUL.
    pub(crate) fn userdata(&mut self, kind: u16, user_kind: u8, text: &str) {
        let Ok(len) = u8::try_from(text.len() + 1) else {
            self.is_too_long = true;
            return;
        };
        self.bytes(kind, &[&[user_kind, len], text.as_bytes(), &[0]].concat());
    }

    /// Attributes that are bytes already.
    pub(crate) fn raw(&mut self, attributes: &[u8]) {
        self.bytes.extend_from_slice(attributes);
    }

    fn open(&mut self, kind: u16) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        at
    }

    fn close(&mut self, at: usize) {
        match u16::try_from(self.bytes.len() - at) {
            Ok(len) => self.bytes[at..at + 2].copy_from_slice(&len.to_ne_bytes()),
            Err(_) => self.is_too_long = true,
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The attributes of a message or of one attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Attributes<'a> {
    /// Numbers and values in order; ends quietly at the first attribute that does not fit.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (len, kind) = (rest.get(..2)?, rest.get(2..HEADER_LEN)?);
            let len = usize::from(u16::from_ne_bytes(len.try_into().ok()?));
            let kind = u16::from_ne_bytes(kind.try_into().ok()?) & KIND_MASK;
            let value = rest.get(HEADER_LEN..len)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            Some((kind, value))
        })
    }

    /// The value of the last attribute of this number, as the kernel takes it.
    pub(crate) fn get(self, kind: u16) -> Option<&'a [u8]> {
        self.iter().filter(|(found, _)| *found == kind).map(|(_, value)| value).last()
    }

    pub(crate) fn number(self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn short(self, kind: u16) -> Option<u16> {
        Some(u16::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn byte(self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    pub(crate) fn long(self, kind: u16) -> Option<u64> {
        Some(u64::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn text(self, kind: u16) -> Option<&'a str> {
        text(self.get(kind)?)
    }

    pub(crate) fn nested(self, kind: u16) -> Option<Self> {
        self.get(kind).map(Self)
    }
}

/// A text without its NUL.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_walked() {
        let mut writer = Writer::default();
        writer.text(1, "ab");
        writer.nest(2, |inner| inner.number(3, 7));

        let bytes = writer.finish().unwrap();

        let all = Attributes(&bytes);
        assert_eq!(bytes.len(), 8 + 12);
        assert_eq!(all.text(1), Some("ab"));
        assert_eq!(all.nested(2).unwrap().number(3), Some(7));
    }

    #[test]
    fn a_value_beyond_the_length_field_spoils_the_whole() {
        let mut writer = Writer::default();
        writer.nest(1, |inner| inner.bytes(1, &vec![0; 65_530]));

        assert_eq!(writer.finish(), None);
    }

    #[test]
    fn a_cut_attribute_ends_the_walk() {
        for len in [0u16, 3, 200] {
            let mut bytes = len.to_ne_bytes().to_vec();
            bytes.extend_from_slice(&[1, 0, 9, 9]);
            assert_eq!(Attributes(&bytes).iter().count(), 0, "{len}");
        }
    }
}
