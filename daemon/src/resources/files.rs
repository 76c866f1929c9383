//! Reading one file's text: which objects it defines, and what is wrong with the rest.

use std::sync::Arc;

use crds::{API_VERSION, Object, Spec, Subnet, Vpc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Spanned, UserMessageFormatter};

use super::check;
use super::document::{Document, split};
use super::problem::{Place, Problem};

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// Kinds of `kubeovn.io/v1` that upstream has and nothing here acts on.
const KNOWN_KINDS: [&str; 21] = [
    "BgpConf",
    "EvpnConf",
    "IP",
    "IPPool",
    "IptablesDnatRule",
    "IptablesEIP",
    "IptablesFIPRule",
    "IptablesSnatRule",
    "OvnDnatRule",
    "OvnEip",
    "OvnFip",
    "OvnSnatRule",
    "ProviderNetwork",
    "QoSPolicy",
    "SecurityGroup",
    "SwitchLBRule",
    "Vip",
    "Vlan",
    "VpcDns",
    "VpcEgressGateway",
    "VpcNatGateway",
];

/// An object as far as this daemon is concerned.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// A subnet that can be meant.
    Subnet(Arc<Subnet>),
    /// A VPC.
    Vpc(Arc<Vpc>),
    /// A `kubeovn.io/v1` object that nothing here acts on.
    Unserved,
    /// An object of another API group: somebody else's.
    Foreign,
}

/// An object and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// What stands in `kind`.
    pub kind: String,
    /// The name; may be empty for a foreign object.
    pub name: String,
    /// Where it begins.
    pub at: Place,
    /// The object.
    pub resource: Resource,
}

/// A subnet that was read and cannot be meant. It has no effect; people still see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The subnet.
    pub subnet: Arc<Subnet>,
    /// Why it cannot be meant.
    pub problem: Problem,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Its objects, in their order.
    pub objects: Vec<Located>,
    /// Its subnets that cannot be meant.
    pub refused: Vec<Refused>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// True for the names of files that hold resources: `.yaml`, `.yml`, `.json`, but no hidden and no editors' files.
pub fn is_resource_file(name: &str) -> bool {
    let has_extension = [".yaml", ".yml", ".json"].iter().any(|extension| name.ends_with(extension));
    has_extension && !name.starts_with(['.', '#', '~'])
}

/// Reads the text of the file `name`.
pub fn parse_file(name: &str, text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for document in split(text) {
        if let Err(problem) = parse_document(name, &document, &mut parsed) {
            parsed.problems.push(problem);
        }
    }
    parsed
}

/// The part of a document that tells how to read the rest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    metadata: Option<HeadMeta>,
    #[serde(default)]
    items: Option<Vec<Spanned<Value>>>,
}

#[derive(Default, Deserialize)]
struct HeadMeta {
    #[serde(default)]
    name: Option<String>,
}

fn parse_document(file: &str, document: &Document<'_>, parsed: &mut Parsed) -> Result<(), Problem> {
    let head: Head = read(file, document)?;
    if let (Some(items), true) =
        (&head.items, head.kind.as_deref().is_some_and(|kind| kind.ends_with("List")))
    {
        for item in items {
            let line = usize::try_from(item.referenced.line()).unwrap_or_default();
            let at = Place::new(file, document.line(line));
            if let Err(problem) = parse_item(&item.value, at, document, parsed) {
                parsed.problems.push(problem);
            }
        }
        return Ok(());
    }
    let at = Place::new(file, document.first_line());
    let (kind, name) = identity(&head, &at)?;
    let resource = match served(&head, &kind) {
        Served::Subnet => checked_subnet(read(file, document)?, &at, document, parsed)?,
        Served::Vpc => checked_vpc(read(file, document)?, &at, parsed),
        Served::Not(resource) => resource,
    };
    accept(Located { kind, name, at, resource }, &head, parsed);
    Ok(())
}

/// One object of a `List`, whose lines inside the item are not known.
fn parse_item(item: &Value, at: Place, document: &Document<'_>, parsed: &mut Parsed) -> Result<(), Problem> {
    let head: Head = from_item(item, &at)?;
    let (kind, name) = identity(&head, &at)?;
    let resource = match served(&head, &kind) {
        Served::Subnet => checked_subnet(from_item(item, &at)?, &at, document, parsed)?,
        Served::Vpc => checked_vpc(from_item(item, &at)?, &at, parsed),
        Served::Not(resource) => resource,
    };
    accept(Located { kind, name, at, resource }, &head, parsed);
    Ok(())
}

fn accept(located: Located, head: &Head, parsed: &mut Parsed) {
    if located.resource == Resource::Unserved {
        parsed.problems.push(unserved(&located, head.api_version.as_deref().unwrap_or_default()));
    }
    parsed.objects.push(located);
}

/// How an object is to be read.
enum Served {
    Subnet,
    Vpc,
    Not(Resource),
}

fn served(head: &Head, kind: &str) -> Served {
    let api_version = head.api_version.as_deref().unwrap_or_default();
    match (api_version, kind) {
        (API_VERSION, "Subnet") => Served::Subnet,
        (API_VERSION, "Vpc") => Served::Vpc,
        _ if is_ours(api_version) => Served::Not(Resource::Unserved),
        _ => Served::Not(Resource::Foreign),
    }
}

/// Kind and name, checked as the API server checks them; an object of somebody else's only has to have a kind.
fn identity(head: &Head, at: &Place) -> Result<(String, String), Problem> {
    let missing = |field: &str, hint: &str| Problem::broken(at.clone(), format!("has no {field}"), hint);
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let api_version =
        given(&head.api_version).ok_or_else(|| missing("apiVersion", "write apiVersion: kubeovn.io/v1"))?;
    let kind = given(&head.kind).ok_or_else(|| missing("kind", "write kind: Subnet or kind: Vpc"))?;
    let name = head.metadata.as_ref().and_then(|meta| given(&meta.name));
    if !is_ours(&api_version) {
        return Ok((kind, name.unwrap_or_default()));
    }
    let name = name.ok_or_else(|| missing("metadata.name", "give the object a name"))?;
    if is_dns_name(&name) {
        return Ok((kind, name));
    }
    Err(Problem::broken(
        at.clone(),
        format!("{kind} {name:?} has a name that Kubernetes would refuse"),
        "use at most 253 lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit",
    ))
}

fn is_ours(api_version: &str) -> bool {
    api_version.split('/').next() == API_VERSION.split('/').next()
}

/// RFC 1123 subdomain, Kubernetes' rule for the names of custom resources.
fn is_dns_name(name: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 253
        && ends(name.bytes().next())
        && ends(name.bytes().last())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

fn checked_subnet(
    subnet: Subnet,
    at: &Place,
    document: &Document<'_>,
    parsed: &mut Parsed,
) -> Result<Resource, Problem> {
    let placed = |field: &str| {
        // In a list the same key stands once per item, so only the item's own line is certain.
        let is_alone = document.first_line() == at.line;
        let line = document.line_of(field).filter(|_| is_alone).unwrap_or(at.line);
        Place::new(&at.file, line)
    };
    let warnings = match check::subnet(&subnet) {
        Ok(warnings) => warnings,
        Err(remark) => {
            let problem = Problem::broken(placed(remark.field), remark.what, remark.hint);
            parsed.refused.push(Refused { subnet: Arc::new(subnet), problem: problem.clone() });
            return Err(problem);
        }
    };
    for warning in warnings {
        parsed.problems.push(Problem::ignored(placed(warning.field), warning.what, warning.hint));
    }
    note_unread(&subnet, at, parsed);
    Ok(Resource::Subnet(Arc::new(subnet)))
}

fn checked_vpc(vpc: Vpc, at: &Place, parsed: &mut Parsed) -> Resource {
    note_unread(&vpc, at, parsed);
    Resource::Vpc(Arc::new(vpc))
}

fn note_unread<S: Spec>(object: &Object<S>, at: &Place, parsed: &mut Parsed) {
    let unread = object.unread();
    if unread.is_empty() {
        return;
    }
    parsed.problems.push(Problem::ignored(
        at.clone(),
        format!("{} {:?}: nothing acts on {}", S::KIND, object.name(), unread.join(", ")),
        "check the spelling, or leave it out",
    ));
}

fn unserved(located: &Located, api_version: &str) -> Problem {
    let Located { kind, name, at, .. } = located;
    let (what, hint) = if api_version != API_VERSION {
        (format!("nothing acts on {kind} {name:?} of {api_version}"), "only kubeovn.io/v1 is read")
    } else if KNOWN_KINDS.contains(&kind.as_str()) {
        (format!("nothing acts on {kind} {name:?} yet"), "it is kept for when something does")
    } else {
        (format!("there is no kind {kind:?} in kubeovn.io/v1 ({name:?})"), "check the spelling")
    };
    Problem::ignored(at.clone(), what, hint)
}

fn from_item<T: DeserializeOwned>(item: &Value, at: &Place) -> Result<T, Problem> {
    T::deserialize(item).map_err(|error| {
        Problem::broken(at.clone(), format!("an item of the list cannot be read: {error}"), "")
    })
}

fn read<T: DeserializeOwned>(file: &str, document: &Document<'_>) -> Result<T, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(document.text, options).map_err(|error| {
        let text = error.render_with_formatter(&UserMessageFormatter);
        let Some(location) = error.location() else {
            return Problem::broken(Place::new(file, document.first_line()), text, "");
        };
        // The parser counts lines inside the document; ours count inside the file.
        let own = format!(" at line {}, column {}", location.line(), location.column());
        let text = text.strip_suffix(own.as_str()).unwrap_or(&text);
        let line = usize::try_from(location.line()).unwrap_or_default();
        let what = format!("{text}, in column {}: {}", location.column(), document.excerpt(line));
        Problem::broken(Place::new(file, document.line(line)), what, "")
    })
}

#[cfg(test)]
mod tests;
