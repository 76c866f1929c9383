//! The rules of the house that no compiler checks: sizes, names, forbidden words, and documents that tell the truth.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::path::{Path, PathBuf};
use std::{fs, iter};

/// Most lines of a file, its inline tests not counted.
const FILE_LINES: usize = 400;

/// Most lines of code of a function outside tests, from its first line to its closing brace.
const FUNCTION_LINES: usize = 60;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "types", "misc"];

/// Folders that are not ours to check.
const NOT_OURS: [&str; 4] = ["target", "dist", ".git", "node_modules"];

/// The top-level folders; a path in a document that begins with one of them has to exist.
const ROOMS: [&str; 10] =
    ["cni-plugin", "daemon", "ipam", "tproxy", "vpcctl", "tests", "crates", "manifests", "docs", "scripts"];

/// The documents that every reader expects.
const DOCUMENTS: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

#[test]
fn every_source_file_is_short_and_begins_with_what_it_is() {
    let mut faults = Vec::new();
    for (path, text) in rust_files() {
        let lines = before_tests(&text).lines().count();
        if lines > FILE_LINES {
            faults.push(format!("{}: {lines} lines, more than {FILE_LINES}", path.display()));
        }
        // Unit tests moved out of a file are introduced by that file.
        if !path.ends_with("tests.rs") && !text.starts_with("//! ") {
            faults.push(format!("{}: does not begin with a `//!` sentence", path.display()));
        }
    }
    none(&faults);
}

#[test]
fn every_module_name_says_what_is_inside() {
    let files = rust_files();
    let faults = files.iter().map(|(path, _)| path).filter(|path| {
        let mut names = path.iter().map(|part| part.to_string_lossy());
        names.any(|name| EMPTY_NAMES.contains(&name.trim_end_matches(".rs")) || name == "core.rs")
    });
    none(&faults.map(|path| format!("{}: an empty name", path.display())).collect::<Vec<_>>());
}

#[test]
fn every_function_fits_on_a_screen() {
    let mut faults = Vec::new();
    for (path, text) in rust_files().iter().filter(|(path, _)| !is_test(path)) {
        for (name, lines) in functions(before_tests(text)) {
            if lines > FUNCTION_LINES {
                faults.push(format!("{}: `{name}` has {lines} lines of code", path.display()));
            }
        }
    }
    none(&faults);
}

#[test]
fn only_the_netlink_crate_may_be_unsafe() {
    let roots = rust_files().into_iter().filter(|(path, _)| is_crate_root(path));
    let faults = roots.filter(|(path, text)| {
        !path.starts_with("crates/netlink") && !text.contains("#![forbid(unsafe_code)]")
    });
    none(&faults.map(|(path, _)| format!("{}: no forbid(unsafe_code)", path.display())).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later_and_nothing_sleeps() {
    let everywhere = [["to", "do!("].concat(), ["unimple", "mented!("].concat(), ["FIX", "ME"].concat()];
    let in_products = ["sleep".to_owned() + "("];
    let mut faults = Vec::new();
    for (path, text) in rust_files() {
        let product = if is_test(&path) { &[][..] } else { &in_products };
        let code = if product.is_empty() { text.as_str() } else { before_tests(&text) };
        for (number, line) in code.lines().enumerate() {
            let words = everywhere.iter().chain(product);
            let found = words.filter(|word| line.contains(*word));
            faults.extend(found.map(|word| format!("{}:{}: {word}", path.display(), number + 1)));
        }
    }
    none(&faults);
}

#[test]
fn the_repository_stands_alone() {
    let word = ["sha", "red/"].concat();
    let mut faults = Vec::new();
    for path in files(&root()) {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains(&word));
        faults.extend(lines.map(|(number, _)| format!("{}:{}: names {word}", path.display(), number + 1)));
    }
    none(&faults);
}

#[test]
fn the_documents_exist_and_name_only_paths_that_exist() {
    let root = root();
    let mut faults: Vec<_> =
        DOCUMENTS.iter().filter(|d| !root.join(d).is_file()).map(|d| format!("no {d}")).collect();
    let documents = files(&root).into_iter().filter(|p| p.extension().is_some_and(|e| e == "md"));
    // The changelog tells of the past.
    for document in documents
        .filter(|p| p.iter().count() == 1 || p.starts_with("docs"))
        .filter(|p| !p.ends_with("CHANGELOG.md"))
    {
        let text = fs::read_to_string(root.join(&document)).unwrap();
        let folder = document.parent().unwrap_or(Path::new(""));
        let linked = links(&text).map(|link| folder.join(link));
        let named = quoted(&text).filter(|name| is_repository_path(name)).map(PathBuf::from);
        let missing = linked.chain(named).filter(|path| !root.join(path).exists());
        faults.extend(missing.map(|path| format!("{}: no {}", document.display(), path.display())));
    }
    none(&faults);
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file of the repository, relative to its root.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut waiting = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        // A folder may go while we look; then it has no files.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            match kind {
                Ok(kind) if kind.is_dir() && !NOT_OURS.iter().any(|n| path.ends_with(n)) => {
                    waiting.push(path)
                }
                Ok(kind) if kind.is_file() => found.push(path.strip_prefix(root).unwrap().to_owned()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let sources = files(&root()).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    let texts = sources.filter_map(|p| Some((p.clone(), fs::read_to_string(root().join(&p)).ok()?)));
    let found: Vec<_> = texts.collect();
    assert!(found.len() > 50, "only {} source files found: the rules would hold for nothing", found.len());
    found
}

/// Files that only tests use: the test ground, test folders, and modules `tests.rs`.
fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "benches" || part == "tests.rs")
}

fn is_crate_root(path: &Path) -> bool {
    let parent = path.parent().unwrap_or(Path::new(""));
    let in_src = parent.ends_with("src") && (path.ends_with("lib.rs") || path.ends_with("main.rs"));
    in_src || parent.ends_with("src/bin")
}

/// A file without the tests at its end.
fn before_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code)
}

/// The functions of a file formatted by rustfmt with their lines of code: such a function ends at the first
/// closing brace that stands below its first letter.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let length = lines[start..].iter().position(|l| *l == end);
        // A signature that ends in `;` or a function on one line has no such brace of its own.
        let body = &lines[start..=start + length.unwrap_or(0)];
        let open = body.iter().position(|l| l.ends_with('{') || l.ends_with(';') || l.ends_with('}'));
        if open.is_some_and(|at| body[at].ends_with('{')) {
            found.push((name, body.iter().filter(|l| is_code(l)).count()));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.trim_start().split(' ').skip_while(|w| {
        ["pub", "async", "const", "unsafe", "extern", "\"C\""].contains(w)
            || w.starts_with("pub(")
            || w.ends_with("super)")
    });
    if words.next()? != "fn" {
        return None;
    }
    words.next()?.split(['(', '<']).next().map(str::to_owned)
}

fn is_code(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with("//")
}

/// The relative targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(|target| {
        let path = target.split('#').next().unwrap_or_default();
        (!path.is_empty() && !path.contains("://") && !path.starts_with("mailto:")).then_some(path)
    })
}

/// The words between backquotes, fences and their contents left out.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    let lines = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).flat_map(str::split_whitespace)
}

fn is_repository_path(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let first = name.split('/').next().unwrap_or_default();
    plain && name.contains('/') && ROOMS.contains(&first)
}

#[test]
fn the_line_counter_counts_code_only() {
    let text = "pub(crate) async fn a(\n    x: u8,\n) -> u8 {\n    // why\n\n    x\n}\n\nfn b() {}\n\ntrait T {\n    fn c();\n    fn d() {\n        e();\n    }\n}\n";

    let wanted = [("a", 5), ("d", 3)].map(|(name, lines)| (name.to_owned(), lines));
    assert_eq!(functions(text), wanted);
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "see `crates/nft/src` and `cargo test`, `tests/*.rs`\n```\n`daemon/no`\n```\n[a](docs/x.md#y) [b](https://z/w)";

    let named: Vec<_> = quoted(text).filter(|n| is_repository_path(n)).chain(links(text)).collect();

    assert_eq!(named, ["crates/nft/src", "docs/x.md"]);
    assert!(iter::once("crates").all(|n| !is_repository_path(n)));
}
