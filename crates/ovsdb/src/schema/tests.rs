use super::*;

const SCHEMA: &str = r#"{"name":"D","version":"1.2.3","cksum":"1 2","tables":{"T":{"isRoot":true,"maxRows":1,"columns":{
    "one":{"type":"string","mutable":false},
    "maybe":{"type":{"key":{"type":"integer","minInteger":0},"min":0,"max":1}},
    "many":{"type":{"key":{"type":"uuid","refTable":"T"},"min":0,"max":"unlimited"}},
    "reals":{"type":{"key":"real","min":0,"max":3}},
    "ids":{"type":{"key":"string","value":"real","min":0,"max":"unlimited"}},
    "pair":{"type":{"key":"string","value":"boolean"}}}}}}"#;

fn column(name: &str) -> ColumnType {
    Schema::read(SCHEMA).unwrap().column("T", name).unwrap().clone()
}

#[test]
fn types_are_read_in_their_short_and_long_forms() {
    assert_eq!(column("one"), ColumnType { key: Kind::String, value: None, optional: false, max: Some(1) });
    assert_eq!(column("maybe"), ColumnType { key: Kind::Integer, value: None, optional: true, max: Some(1) });
    assert_eq!(column("many"), ColumnType { key: Kind::Uuid, value: None, optional: true, max: None });
    assert_eq!(column("reals").max, Some(3));
    assert_eq!(column("ids").value, Some(Kind::Real));
    assert!(
        !column("maybe").is_composite() && column("many").is_composite() && column("reals").is_composite()
    );
}

#[test]
fn what_is_not_there_is_none() {
    let schema = Schema::read(SCHEMA).unwrap();
    assert!(schema.column("T", "two").is_none() && schema.column("U", "one").is_none());
    assert!(schema.tables["T"].is_root);
}

#[test]
fn a_maximum_is_a_number_or_unlimited() {
    assert!(Schema::read(&SCHEMA.replace("unlimited", "infinite")).is_err());
}

#[test]
fn columns_left_out_of_a_row_have_the_default_of_their_type() {
    assert_eq!(column("one").default_value(), Value::from(""));
    assert_eq!(column("maybe").default_value(), Value::empty());
    assert_eq!(column("ids").default_value(), Value::Map(BTreeMap::new()));
    assert_eq!(column("pair").default_value(), Value::map([("", false)]));
}

#[test]
fn whole_numbers_in_a_column_of_reals_are_reals() {
    let real = |number| Atom::Real(Real::new(number).unwrap());
    let mixed = Value::Set([Atom::Integer(1), real(0.5)].into());
    assert_eq!(column("reals").normalise(mixed), Value::set([real(1.0), real(0.5)]));
    assert_eq!(column("reals").normalise(Value::from(2)), Value::Atom(real(2.0)));
    assert_eq!(column("ids").normalise(Value::map([("k", 1)])), Value::map([("k", real(1.0))]));
    assert_eq!(column("maybe").normalise(Value::from(2)), Value::from(2));
}

#[test]
fn the_installed_schemas_are_read() {
    for path in ["/usr/share/ovn/ovn-nb.ovsschema", "/usr/share/openvswitch/vswitch.ovsschema"] {
        if let Ok(text) = std::fs::read_to_string(path) {
            assert!(!Schema::read(&text).unwrap().tables.is_empty(), "{path}");
        }
    }
}
