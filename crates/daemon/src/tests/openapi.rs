//! The OpenAPI file: it has every route, and every answer that a test gets is in it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::kit::{Answer, Service};
use crate::ROUTES;
use crate::api::openapi_document;

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi_document);

/// Whether a path is one of this route.
fn fits(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (route, path) = (route.split('/'), path.split('/'));
    let parts: Vec<(&str, &str)> = route.clone().zip(path.clone()).collect();
    let same = |(of_route, part): &(&str, &str)| {
        of_route == part || (of_route.starts_with('{') && !part.is_empty())
    };
    route.count() == path.count() && parts.iter().all(same)
}

/// Refuses an answer that the file does not have.
pub(super) fn check(method: &str, path: &str, answer: &Answer) {
    let mut routes = ROUTES.iter();
    let route = routes.find(|(of, route)| *of == method && fits(route, path));
    let Some((_, route)) = route else {
        return;
    };
    let operation = &DOCUMENT["paths"][*route][method.to_lowercase().as_str()];
    let known = &operation["responses"][answer.status.to_string().as_str()];
    assert!(
        known.is_object(),
        "{method} {route}: {} is not in the file",
        answer.status
    );
    let kind = answer
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default();
    if known.get("content").is_none() {
        assert!(answer.text.is_empty(), "{method} {route}: {answer:?}");
        return;
    }
    let content = &known["content"][kind];
    assert!(
        content.is_object(),
        "{method} {route}: {kind} is not in the file"
    );
    if kind == "application/problem+json" {
        let codes = &content["schema"]["allOf"][1]["properties"]["code"]["enum"];
        let code = &answer.json()["code"];
        let known = codes.as_array().unwrap().contains(code);
        assert!(
            known,
            "{method} {route}: {} {code} is not in the file",
            answer.status
        );
    }
    for header in [
        "etag",
        "location",
        "link",
        "retry-after",
        "idempotent-replayed",
    ] {
        let headers = known["headers"].as_object();
        let mut names = headers.into_iter().flat_map(|all| all.keys());
        let known = names.any(|name| name.eq_ignore_ascii_case(header));
        assert!(
            known || answer.header(header).is_empty(),
            "{method} {route}: {header}"
        );
    }
}

#[test]
fn every_route_is_in_the_file_and_no_other() {
    let service = Service::start();
    let answer = service.send("GET", "/v1/openapi.json", &[], b"").is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert_eq!(document, *DOCUMENT);
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            found.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routes = ROUTES.iter();
    let routes = routes.map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(found, routes.collect());
}

#[test]
fn what_it_names_is_in_it_and_each_operation_has_a_name_of_its_own() {
    fn each<'v>(value: &'v Value, see: &mut dyn FnMut(&'v Value)) {
        see(value);
        match value {
            Value::Array(all) => all.iter().for_each(|one| each(one, see)),
            Value::Object(all) => all.values().for_each(|one| each(one, see)),
            _ => (),
        }
    }
    let (mut names, mut references) = (Vec::new(), 0);
    each(&DOCUMENT, &mut |value| {
        names.extend(value["operationId"].as_str());
        if let Some(reference) = value["$ref"].as_str() {
            references += 1;
            let at = reference.strip_prefix('#').expect(reference);
            assert!(DOCUMENT.pointer(at).is_some(), "{reference}");
        }
    });
    assert!(references > 20, "{references}");
    let own: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!((own.len(), names.len()), (ROUTES.len(), ROUTES.len()));
}

/// What one code in the source says stands in the file, and nothing else does.
#[test]
fn every_code_of_a_refusal_is_in_the_file() {
    let text = DOCUMENT.to_string();
    let source = include_str!("../problem.rs");
    let codes = source
        .split("(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let is_code =
        |code: &&str| code.contains('-') && code.chars().all(|c| matches!(c, 'a'..='z' | '-'));
    for code in codes.filter(is_code) {
        assert!(text.contains(&format!("\"{code}\"")), "{code}");
    }
}
