//! The control port's tables in `docs/sandbox.md` against the routes in the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::table::files;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "any"];

#[test]
fn the_page_names_every_route_of_the_control_port_and_no_other() {
    let (documented, built) = (documented(), built());
    assert!(built.len() > 50, "the routes were not found");
    let missing: Vec<_> = built.difference(&documented).collect();
    let stray: Vec<_> = documented.difference(&built).collect();
    assert!(missing.is_empty() && stray.is_empty(), "not on the page: {missing:#?}\nnot a route: {stray:#?}");
}

/// `GET clock` for each method of `.route("/_sandbox/clock", get(...).post(...))`.
fn built() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        let text = fs::read_to_string(file).unwrap();
        for route in text.split(".route(\"/_sandbox/").skip(1) {
            let route = route.split(".route(").next().unwrap().split('\n').next().unwrap();
            let (path, handlers) = route.split_once('"').unwrap();
            let words = handlers.split(|c: char| !c.is_alphanumeric() && c != '(' && c != '_');
            let methods = words.filter_map(|word| word.split_once('(')).map(|(name, _)| name);
            found.extend(
                methods.filter(|name| METHODS.contains(name)).map(|name| format!("{} {path}", name.to_uppercase())),
            );
        }
    }
    found
}

/// The same for each `GET, POST clock` in the first cell of a row below "The control port".
fn documented() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox.md");
    let text = fs::read_to_string(page).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("The control port")).unwrap();
    let mut found = BTreeSet::new();
    for cell in section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()) {
        for request in cell.split('`').skip(1).step_by(2) {
            let (methods, path) = request.rsplit_once(' ').unwrap();
            found.extend(methods.split(", ").map(|method| format!("{method} {path}")));
        }
    }
    found
}
