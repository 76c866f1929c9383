use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::*;

/// Any element but one that a server never sends.
pub(crate) fn atom() -> impl Strategy<Value = Atom> {
    prop_oneof![
        any::<i64>().prop_map(Atom::Integer),
        (-1e300..1e300f64).prop_filter_map("finite", |f| Real::new(f).map(Atom::Real)),
        any::<bool>().prop_map(Atom::Boolean),
        any::<String>().prop_map(Atom::String),
        any::<[u8; 16]>().prop_map(|bytes| Atom::Uuid(Uuid(bytes))),
        "[a-z_]{1,8}".prop_map(Atom::NamedUuid),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        atom().prop_map(Value::Atom),
        btree_set(atom(), 0..5).prop_map(Value::Set),
        btree_map(atom(), atom(), 0..5).prop_map(Value::Map),
    ]
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

fn parsed(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_in_its_canonical_form(value in value()) {
        prop_assert_eq!(parsed(&json(&value)).unwrap(), value.canonical());
    }

    #[test]
    fn equal_values_have_one_text(value in value()) {
        prop_assert_eq!(json(&value), json(&value.clone().canonical()));
    }

    #[test]
    fn uuids_are_read_as_they_are_shown(bytes in any::<[u8; 16]>()) {
        prop_assert_eq!(Uuid(bytes).to_string().parse(), Ok(Uuid(bytes)));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
        let _ = parsed(&text);
        let _ = text.parse::<Uuid>();
    }
}

#[test]
fn each_kind_has_the_form_of_the_rfc() {
    let uuid = Atom::Uuid("9b1ad2a4-0f0a-4b6e-8e0a-0123456789ab".parse().unwrap());
    assert_eq!(json(&uuid.clone().into()), r#"["uuid","9b1ad2a4-0f0a-4b6e-8e0a-0123456789ab"]"#);
    assert_eq!(json(&Value::Atom(Atom::NamedUuid("x".into()))), r#"["named-uuid","x"]"#);
    assert_eq!(json(&Value::empty()), r#"["set",[]]"#);
    assert_eq!(json(&Value::set(["b", "a", "b"])), r#"["set",["a","b"]]"#);
    assert_eq!(json(&Value::set(["a"])), r#""a""#);
    assert_eq!(json(&Value::map([("k", 1)])), r#"["map",[["k",1]]]"#);
    assert_eq!(json(&Value::Map(BTreeMap::new())), r#"["map",[]]"#);
}

#[test]
fn a_set_of_one_is_read_as_its_element() {
    assert_eq!(parsed(r#"["set",[true]]"#).unwrap(), Value::from(true));
}

#[test]
fn what_is_no_value_is_refused() {
    for text in [
        "null",
        "{}",
        "[]",
        r#"["set"]"#,
        r#"["set",[],1]"#,
        r#"["list",[]]"#,
        r#"["uuid","x"]"#,
        r#"["set",[["set",[]]]]"#,
        r#"["map",[["k"]]]"#,
        "9223372036854775808",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
}

#[test]
fn uuids_have_exactly_one_form() {
    for text in ["", "0", "9b1ad2a40f0a4b6e8e0a0123456789ab", "9b1ad2a4-0f0a-4b6e-8e0a-0123456789a+"] {
        assert_eq!(text.parse::<Uuid>(), Err(NotAUuid(text.to_owned())));
    }
    assert_eq!(Uuid::ZERO.to_string(), "00000000-0000-0000-0000-000000000000");
}

#[test]
fn reals_are_finite_and_know_one_zero() {
    assert_eq!(Real::new(f64::NAN), None);
    assert_eq!(Real::new(f64::INFINITY), None);
    assert_eq!(Real::new(-0.0), Real::new(0.0));
    assert!(Real::new(-1.0) < Real::new(0.5));
}

#[test]
fn a_lone_element_is_seen_through_either_form() {
    let alone = Value::Set(BTreeSet::from([Atom::from(7)]));
    assert_eq!((alone.as_integer(), alone.only()), (Some(7), Some(&Atom::Integer(7))));
    assert_eq!(Value::set([1, 2]).only(), None);
    assert_eq!((Value::from("a").as_str(), Value::from("a").as_bool()), (Some("a"), None));
    assert_eq!(Value::map([("a", "b")]).elements().count(), 0);
}
