//! Cuts a stream of bytes into JSON objects: OVSDB puts nothing between its messages.

use bytes::{Buf, Bytes, BytesMut};

/// The stream cannot be cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Something else than an object where a message must begin.
    #[error("a message begins with byte {0:#04x} instead of an opening brace")]
    NotAnObject(u8),
    /// A message is longer than allowed.
    #[error("a message is longer than {limit} bytes")]
    TooLong {
        /// What is allowed, in bytes.
        limit: usize,
    },
}

/// Finds the end of each message, looking at every byte once however the stream is split.
#[derive(Debug)]
pub struct Scanner {
    buffer: BytesMut,
    limit: usize,
    /// How much of the buffer has been looked at. It belongs to one message, which begins at 0.
    scanned: usize,
    depth: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Structure,
    Text,
    Escape,
}

impl Scanner {
    /// A scanner that takes messages of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit, scanned: 0, depth: 0, place: Place::Structure }
    }

    /// Where bytes of the stream are to be put, behind those that are there.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole message, `None` until more bytes have come.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, ScanError> {
        if self.scanned == 0 {
            self.skip_space();
        }
        let Some(first) = self.buffer.first() else { return Ok(None) };
        if *first != b'{' {
            return Err(ScanError::NotAnObject(*first));
        }
        let end = self.find_end();
        if end.unwrap_or(self.buffer.len()) > self.limit {
            return Err(ScanError::TooLong { limit: self.limit });
        }
        Ok(end.map(|end| {
            self.scanned = 0;
            self.buffer.split_to(end).freeze()
        }))
    }

    fn skip_space(&mut self) {
        let space = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.buffer.advance(space);
    }

    fn find_end(&mut self) -> Option<usize> {
        while let Some(byte) = self.buffer.get(self.scanned) {
            self.scanned += 1;
            self.place = match (self.place, byte) {
                (Place::Structure, b'"') => Place::Text,
                (Place::Structure, b'{' | b'[') => {
                    self.depth += 1;
                    Place::Structure
                }
                (Place::Structure, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.scanned);
                    }
                    Place::Structure
                }
                (Place::Text, b'"') => Place::Structure,
                (Place::Text, b'\\') => Place::Escape,
                (Place::Escape, _) => Place::Text,
                (place @ (Place::Structure | Place::Text), _) => place,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    fn messages() -> impl Strategy<Value = Vec<Json>> {
        let text = prop_oneof![any::<String>(), r#"[\\"{}\[\]]{0,6}"#];
        let leaf = text.prop_map(Json::from).boxed();
        let tree = leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Json::from),
                (r#"[\\"{}a]{0,3}"#, inner).prop_map(|(key, value)| json!({key: value})),
            ]
        });
        vec(tree.prop_map(|params| json!({"params": params})), 0..5)
    }

    fn scan(limit: usize, pieces: &[&[u8]]) -> Result<Vec<Bytes>, ScanError> {
        let (mut scanner, mut found) = (Scanner::new(limit), Vec::new());
        for piece in pieces {
            scanner.buffer().extend_from_slice(piece);
            while let Some(message) = scanner.next_message()? {
                found.push(message);
            }
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn messages_are_found_however_the_stream_is_split(
            messages in messages(), gap in "[ \n]{0,2}", cuts in vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream: String = messages.iter().map(|message| format!("{gap}{message}")).collect();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &stream.as_bytes()[cut[0]..cut[1]]).collect();
            let found = scan(1 << 20, &pieces).unwrap();
            let found: Vec<Json> = found.iter().map(|text| serde_json::from_slice(text).unwrap()).collect();
            prop_assert_eq!(found, messages);
        }

        #[test]
        fn no_stream_makes_the_scanner_panic(bytes in vec(any::<u8>(), 0..60)) {
            let _ = scan(50, &[&bytes]);
            let _ = scan(50, &[b"{", &bytes]);
        }
    }

    #[test]
    fn a_message_may_have_exactly_the_limit() {
        let text = br#"{"a":"b"}"#;
        assert_eq!(scan(9, &[text]).unwrap().len(), 1);
        assert_eq!(scan(8, &[text]), Err(ScanError::TooLong { limit: 8 }));
        assert_eq!(scan(8, &[&text[..8]]).unwrap().len(), 0);
        assert_eq!(scan(7, &[&text[..8]]), Err(ScanError::TooLong { limit: 7 }));
    }

    #[test]
    fn messages_behind_each_other_do_not_add_up_to_the_limit() {
        assert_eq!(scan(9, &[br#"{"a":"b"}{"a":"b"}{"a":"#]).unwrap().len(), 2);
    }

    #[test]
    fn a_message_is_an_object() {
        assert_eq!(scan(9, &[b" [1]"]), Err(ScanError::NotAnObject(b'[')));
        assert_eq!(scan(9, &[b"{}x"]), Err(ScanError::NotAnObject(b'x')));
    }
}
