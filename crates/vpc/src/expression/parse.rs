//! Words to a tree, by OVN's grammar.

use std::collections::BTreeSet;

use ovn::nb::Family;

use super::field::{Holds, family, holds};
use super::token::{Constant, Form, Token, tokens};
use super::{Name, SyntaxError};

/// How deep parentheses may stand in each other; OVN's own limit.
const DEEPEST: usize = 100;

/// A part of an expression, as far as somebody asks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// All of these hold.
    All(Vec<Node>),
    /// One of these holds.
    Any(Vec<Node>),
    /// The field is one of these constants.
    Among {
        /// The field.
        field: String,
        /// The constants.
        values: Vec<Constant>,
    },
    /// Something about packets of one family.
    Of(Family),
    /// Something that tells nothing about addresses.
    Other,
}

/// What was read.
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) fields: BTreeSet<String>,
    pub(super) names: BTreeSet<Name>,
}

pub(super) fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    let (fields, names) = (BTreeSet::new(), BTreeSet::new());
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, next: 0, end: text.len(), is_negated: false, fields, names };
    let root = parser.chain(0)?;
    match parser.peek() {
        None => Ok(Parsed { root, fields: parser.fields, names: parser.names }),
        Some(Token::Sign(")")) => parser.fail("this parenthesis was never opened"),
        Some(_) => parser.fail("expected && or || or the end here"),
    }
}

struct Parser<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    next: usize,
    /// Length of the text.
    end: usize,
    /// Inside an odd number of `!`.
    is_negated: bool,
    /// The fields that were asked about.
    fields: BTreeSet<String>,
    /// What was named that is no part of the text.
    names: BTreeSet<Name>,
}

/// The right side of a comparison.
#[derive(Default)]
struct Operand {
    values: Vec<Constant>,
    /// True when it names ports, an address set or a port group.
    has_names: bool,
    is_set: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn fail<T>(&self, what: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(self.at(), what))
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.take_sign(sign) { Ok(()) } else { self.fail(format!("expected {sign} here")) }
    }

    /// `a && b && c` or `a || b || c`; the two do not mix.
    fn chain(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let first = self.term(depth)?;
        for (sign, other, join) in [("&&", "||", Node::All as fn(Vec<Node>) -> Node), ("||", "&&", Node::Any)]
        {
            let mut parts = vec![first.clone()];
            while self.take_sign(sign) {
                parts.push(self.term(depth)?);
            }
            if parts.len() > 1 {
                if matches!(self.peek(), Some(Token::Sign(found)) if *found == other) {
                    return self.fail("&& and || stand side by side; put one of them in parentheses");
                }
                return Ok(join(parts));
            }
        }
        Ok(first)
    }

    fn term(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        if depth > DEEPEST {
            return self.fail("too many parentheses in each other");
        }
        if self.take_sign("(") {
            let node = self.chain(depth + 1)?;
            self.expect_sign(")")?;
            return Ok(node);
        }
        if self.take_sign("!") {
            return self.negated(depth);
        }
        match self.peek() {
            None => self.fail("expected a condition here, such as ip4.src == 10.0.1.0/24"),
            Some(Token::Name(name)) => self.of_field(name),
            Some(Token::Value(Constant { form: Form::Number, value: 0 | 1, mask: None }))
                if !self.is_comparison(self.next + 1) =>
            {
                self.next += 1;
                Ok(Node::Other)
            }
            Some(Token::Sign(sign)) if *sign != "{" => {
                self.fail("expected a condition here, such as ip4.src == 10.0.1.0/24")
            }
            Some(_) => self.of_operand(),
        }
    }

    /// After `!`: parentheses, or something that is yes or no by itself.
    fn negated(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let start = self.at();
        self.is_negated = !self.is_negated;
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                let (_, holds) = self.field()?;
                if self.is_comparison(self.next) {
                    return Err(SyntaxError::new(start, "put what stands after ! in parentheses"));
                }
                self.truth(start, name, holds)?;
            }
            Some(Token::Sign("!")) => return self.fail("two ! side by side; leave both out"),
            _ => {
                self.term(depth + 1)?;
            }
        }
        self.is_negated = !self.is_negated;
        Ok(Node::Other)
    }

    /// A field that stands for itself.
    fn truth(&self, start: usize, name: &str, holds: Holds) -> Result<(), SyntaxError> {
        match holds {
            Holds::Bit => Ok(()),
            Holds::Kind => self.positive(start, name, true),
            Holds::Port | Holds::Number(_) | Holds::Word(_) | Holds::Mac | Holds::V4 | Holds::V6 => {
                Err(SyntaxError::new(start, format!("{name} is compared with nothing; write {name} == …")))
            }
        }
    }

    /// Refuses a word that is asked for by what it is not, all `!` around it counted.
    fn positive(&self, start: usize, name: &str, asks_for_it: bool) -> Result<(), SyntaxError> {
        if asks_for_it != self.is_negated {
            return Ok(());
        }
        let advice = "OVN has no match for everything else; name what is meant, or let a rule of higher priority take it out";
        Err(SyntaxError::new(start, format!("{name} can be asked for, but not excluded; {advice}")))
    }

    /// What holds for comparisons of words.
    fn compared(
        &self,
        start: usize,
        name: &str,
        operator: &str,
        operand: &Operand,
        holds: Holds,
    ) -> Result<(), SyntaxError> {
        let is_equal = operator == "==";
        match holds {
            Holds::Port | Holds::Word(_) => self.positive(start, name, is_equal),
            Holds::Kind => {
                let is_one = operand.values.iter().all(|constant| constant.value == 1);
                self.positive(start, name, is_equal == is_one)
            }
            Holds::Number(_) | Holds::Mac | Holds::V4 | Holds::V6 | Holds::Bit => Ok(()),
        }
    }

    fn is_comparison(&self, place: usize) -> bool {
        matches!(self.tokens.get(place), Some((_, Token::Sign("==" | "!=" | "<" | "<=" | ">" | ">="))))
    }

    /// A field by name, with bits in brackets perhaps.
    fn field(&mut self) -> Result<(&'a str, Holds), SyntaxError> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return self.fail("expected a field here") };
        let Some(whole) = holds(name) else {
            return self.fail(format!("{name:?} is no field that a match may use"));
        };
        self.next += 1;
        self.fields.insert(name.to_owned());
        if !self.take_sign("[") {
            return Ok((name, whole));
        }
        if matches!(whole, Holds::Port | Holds::Word(_) | Holds::Kind) {
            return self.fail(format!("{name} has no bits to choose from"));
        }
        let low = self.bit(whole)?;
        let high = if self.take_sign("..") { self.bit(whole)? } else { low };
        if high < low {
            return self.fail("the bits in brackets run from high to low");
        }
        self.expect_sign("]")?;
        let bits = high - low + 1;
        // A part of an address says nothing about whole addresses, and is compared with numbers.
        Ok(("", if bits == 1 { Holds::Bit } else { Holds::Number(bits) }))
    }

    fn bit(&mut self, of: Holds) -> Result<u32, SyntaxError> {
        let Some(Token::Value(Constant { form: Form::Number, value, mask: None })) = self.peek() else {
            return self.fail("expected the number of a bit here");
        };
        match u32::try_from(*value) {
            Ok(bit) if bit < of.bits() => {
                self.next += 1;
                Ok(bit)
            }
            _ => self.fail(format!("the field has bits 0 to {}", of.bits().saturating_sub(1))),
        }
    }

    /// `field`, `field == value`, `field == {value, …}`.
    fn of_field(&mut self, name: &str) -> Result<Node, SyntaxError> {
        let start = self.at();
        let (field, holds) = self.field()?;
        let Some(operator) = self.operator() else {
            self.truth(start, name, holds)?;
            return Ok(about(name));
        };
        let operand = self.operand(holds, operator)?;
        self.compared(start, name, operator, &operand, holds)?;
        let tells = operator == "==" && !operand.has_names && !field.is_empty();
        Ok(if tells { Node::Among { field: field.to_owned(), values: operand.values } } else { about(name) })
    }

    /// `1024 <= tcp.dst`, `1024 <= tcp.dst < 2048`, `{80, 443} == tcp.dst`.
    fn of_operand(&mut self) -> Result<Node, SyntaxError> {
        let (start, first) = (self.at(), self.next);
        if self.take_sign("{") {
            while self.peek().is_some() && !self.take_sign("}") {
                self.next += 1;
            }
        } else {
            self.next += 1;
        }
        let Some(operator) = self.operator() else { return self.fail("expected a comparison here") };
        let (name, holds) = self.field()?;
        let after = std::mem::replace(&mut self.next, first);
        let operand = self.operand(holds, operator)?;
        self.compared(start, name, operator, &operand, holds)?;
        self.next = after;
        if let Some(second) = self.operator() {
            if matches!(operator, "==" | "!=") || operator.chars().next() != second.chars().next() {
                return self.fail("the two comparisons of a range must point the same way");
            }
            self.operand(holds, second)?;
        }
        Ok(about(name))
    }

    fn operator(&mut self) -> Option<&'static str> {
        if !self.is_comparison(self.next) {
            return None;
        }
        let Some((_, Token::Sign(sign))) = self.tokens.get(self.next) else { return None };
        self.next += 1;
        Some(sign)
    }

    fn operand(&mut self, holds: Holds, operator: &str) -> Result<Operand, SyntaxError> {
        let start = self.at();
        let mut operand = Operand::default();
        if self.take_sign("{") {
            operand.is_set = true;
            while !self.take_sign("}") {
                self.member(holds, &mut operand)?;
                self.take_sign(",");
            }
            if operand.values.is_empty() && !operand.has_names {
                return Err(SyntaxError::new(start, "the set is empty"));
            }
        } else {
            self.member(holds, &mut operand)?;
        }
        let is_equality = matches!(operator, "==" | "!=");
        let has_order = matches!(holds, Holds::Number(_) | Holds::V4 | Holds::V6 | Holds::Mac);
        let is_plain =
            !operand.is_set && !operand.has_names && operand.values.iter().all(|v| v.mask.is_none());
        if !(is_equality || has_order && is_plain) {
            return Err(SyntaxError::new(start, format!("only == and != work here, not {operator}")));
        }
        Ok(operand)
    }

    fn member(&mut self, holds: Holds, operand: &mut Operand) -> Result<(), SyntaxError> {
        let name = match self.peek() {
            Some(Token::Text(name)) => Some(Name::Port((*name).to_owned())),
            Some(Token::PortGroup(name)) => Some(Name::PortGroup((*name).to_owned())),
            Some(Token::AddressSet(name)) => Some(Name::AddressSet((*name).to_owned())),
            Some(Token::Name(_) | Token::Value(_) | Token::Sign(_)) | None => None,
        };
        match (self.peek(), holds) {
            (Some(Token::Text(_) | Token::PortGroup(_)), Holds::Port)
            | (Some(Token::AddressSet(_)), Holds::V4 | Holds::V6 | Holds::Mac) => {
                operand.has_names = true;
                self.names.extend(name);
            }
            (Some(Token::Value(constant)), _) if fits(constant, holds) => operand.values.push(*constant),
            (None | Some(Token::Sign(_)), _) => return self.fail("expected a value here"),
            _ => return self.fail(format!("expected {} here", wanted(holds))),
        }
        self.next += 1;
        Ok(())
    }
}

/// A condition of which only the field counts.
fn about(field: &str) -> Node {
    family(field).map_or(Node::Other, Node::Of)
}

/// Whether a constant can be compared with what the field holds.
fn fits(constant: &Constant, holds: Holds) -> bool {
    match (holds, constant.form) {
        (Holds::Port, _) => false,
        (Holds::V4, Form::V4) | (Holds::V6, Form::V6) | (Holds::Mac, Form::Mac) => true,
        (_, Form::Number) => {
            let bits = holds.bits();
            bits >= 128 || constant.value >> bits == 0 && constant.mask.unwrap_or(0) >> bits == 0
        }
        _ => false,
    }
}

fn wanted(holds: Holds) -> String {
    match holds {
        Holds::Port => "the name of a port in quotes, or a port group @name".to_owned(),
        Holds::Mac => "an Ethernet address".to_owned(),
        Holds::V4 => "an IPv4 address, a range of them or an address set $name".to_owned(),
        Holds::V6 => "an IPv6 address, a range of them or an address set $name".to_owned(),
        Holds::Bit | Holds::Kind => "0 or 1".to_owned(),
        Holds::Number(bits) | Holds::Word(bits) => {
            let largest = (1_u128 << bits.min(127)) - 1;
            format!("a number from 0 to {largest}")
        }
    }
}
