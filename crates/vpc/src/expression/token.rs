//! The words of an OVN expression.

use std::net::{Ipv4Addr, Ipv6Addr};

use ovn::address::Mac;

use super::SyntaxError;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A field or predicate: `ip4.src`.
    Name(&'a str),
    /// A number or address, perhaps with a mask.
    Value(Constant),
    /// `"…"`.
    Text(&'a str),
    /// `$name`: an address set.
    AddressSet(&'a str),
    /// `@name`: a port group.
    PortGroup(&'a str),
    /// Anything else: `==`, `&&`, `(`.
    Sign(&'static str),
}

/// A number or address, perhaps with a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Constant {
    /// How it is written.
    pub(super) form: Form,
    /// The value, aligned to the right.
    pub(super) value: u128,
    /// Which bits count; `None` without a mask.
    pub(super) mask: Option<u128>,
}

/// How a constant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `80`, `0x50`.
    Number,
    /// `10.0.0.1`.
    V4,
    /// `fd00::1`.
    V6,
    /// `0a:58:0a:00:00:01`.
    Mac,
}

impl Form {
    /// How many bits an address of this form has.
    fn bits(self) -> u32 {
        match self {
            Form::Number | Form::V6 => 128,
            Form::V4 => 32,
            Form::Mac => 48,
        }
    }
}

/// Longest first, so that `==` is not read as `=`.
const SIGNS: &[&str] =
    &["==", "!=", "<=", ">=", "&&", "||", "..", "<", ">", "!", "(", ")", "{", "}", "[", "]", ","];

/// Splits `text` into words, each with the byte where it begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with([' ', '\t', '\n', '\r']) {
            at += 1;
            continue;
        }
        let (token, length) = one(rest, at)?;
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn one(rest: &str, at: usize) -> Result<(Token<'_>, usize), SyntaxError> {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    if let Some(inner) = rest.strip_prefix('"') {
        return quoted(inner, at);
    }
    if let Some(mark @ ('$' | '@')) = rest.chars().next() {
        let name = run(&rest[1..], is_name);
        if name.is_empty() {
            return Err(SyntaxError::new(at, format!("{mark} is not followed by a name")));
        }
        let token = if mark == '$' { Token::AddressSet(name) } else { Token::PortGroup(name) };
        return Ok((token, 1 + name.len()));
    }
    let word = run(rest, |c| is_name(c) || matches!(c, ':' | '/'));
    let word = word.split("..").next().unwrap_or(word);
    if is_constant(word) {
        return Ok((Token::Value(constant(word, at)?), word.len()));
    }
    let name = run(rest, is_name);
    if name.is_empty() {
        let odd = rest.chars().next().unwrap_or_default();
        return Err(SyntaxError::new(at, format!("{odd:?} means nothing here")));
    }
    Ok((Token::Name(name), name.len()))
}

/// A string. Escapes are JSON's; no port's name has any, so a text with one is refused.
fn quoted(inner: &str, at: usize) -> Result<(Token<'_>, usize), SyntaxError> {
    let end = inner.find('"').ok_or_else(|| SyntaxError::new(at, "the quotation mark is not closed"))?;
    let text = &inner[..end];
    if text.contains('\\') {
        return Err(SyntaxError::new(at, "a name in quotes cannot have a backslash"));
    }
    Ok((Token::Text(text), end + 2))
}

fn run(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    text.find(|c| !wanted(c)).map_or(text, |end| &text[..end])
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// True for what begins like a number, or is hexadecimal up to its first colon.
fn is_constant(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || c == ':')
        || word.split_once(':').is_some_and(|(first, _)| first.chars().all(|c| c.is_ascii_hexdigit()))
}

fn constant(word: &str, at: usize) -> Result<Constant, SyntaxError> {
    let (value, mask) = match word.split_once('/') {
        Some((value, mask)) => (value, Some(mask)),
        None => (word, None),
    };
    let no_value = || SyntaxError::new(at, format!("{word:?} is neither a number nor an address"));
    let (form, value) = plain(value).ok_or_else(no_value)?;
    let Some(mask) = mask else { return Ok(Constant { form, value, mask: None }) };
    let mask = mask_of(mask, form)
        .ok_or_else(|| SyntaxError::new(at, format!("the part of {word:?} after / is no mask for it")))?;
    // OVN reads `10.0.1.5/24` as `10.0.1.0/24`.
    Ok(Constant { form, value: value & mask, mask: Some(mask) })
}

fn plain(text: &str) -> Option<(Form, u128)> {
    if let Some(hex) = text.strip_prefix("0x") {
        let digits = !hex.is_empty() && hex.chars().all(|c| c.is_ascii_hexdigit());
        return digits.then(|| u128::from_str_radix(hex, 16).ok()).flatten().map(|n| (Form::Number, n));
    }
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        if text.len() > 1 && text.starts_with('0') {
            return None;
        }
        return text.parse().ok().map(|number| (Form::Number, number));
    }
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Some((Form::V4, u128::from(u32::from(v4))));
    }
    if let Ok(v6) = text.parse::<Ipv6Addr>() {
        return Some((Form::V6, u128::from(v6)));
    }
    let mac: Mac = text.parse().ok()?;
    Some((Form::Mac, mac.bytes().iter().fold(0, |all, byte| all << 8 | u128::from(*byte))))
}

/// A mask is a prefix length of an IP address, or written as the value is.
fn mask_of(text: &str, form: Form) -> Option<u128> {
    let (mask_form, mask) = plain(text)?;
    match (form, mask_form) {
        (Form::V4 | Form::V6, Form::Number) => {
            let length = u32::try_from(mask).ok().filter(|length| *length <= form.bits())?;
            Some(prefix_mask(length, form.bits()))
        }
        (value, mask_form) if value == mask_form => Some(mask),
        _ => None,
    }
}

/// The mask of a prefix of `length` of `bits` bits.
fn prefix_mask(length: u32, bits: u32) -> u128 {
    let all = u128::MAX >> (128 - bits);
    all & !all.checked_shr(length).unwrap_or(0)
}
