//! Maps that an operator writes, and the mistakes in them.

use super::*;

fn settings(folder: &TempDir, map: &str) -> SourceSettings {
    SourceSettings {
        token: Some(kept(folder, "token", TOKEN)),
        ..SourceSettings::new(folder.path().join(map).display().to_string())
    }
}

fn start(map: &str) -> Result<Inbound, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.yaml"), map).unwrap();
    let sources = BTreeMap::from([("own".to_owned(), settings(&folder, "own.yaml"))]);
    match started(sources) {
        Ok(service) => Ok(Inbound {
            service,
            secrets: folder,
        }),
        Err(StartError::Sections(faults)) => Err(faults.join("\n")),
        Err(other) => panic!("{other}"),
    }
}

const OWN: &str = "
map: Our own
workflow: trouble-ticket
key: /no
rules:
  - when: { /kind: [fault, \"alarm*\"], /test: false }
    open:
      caller: /who
      problem: \"{{ item.what | upper }} ({{ body.no }})\"
      service: { from: /net?, words: { phone: Telephony, \"*mail*\": E-mail } }
      impact: One person
  - when: { /kind: talk }
    comment: /what
  - when: { /kind: noise }
    ignore: true
";

fn message(kind: &str, more: Value) -> Value {
    let mut message =
        json!({ "no": 7, "kind": kind, "test": false, "who": "Ms Qi", "what": "no tone" });
    for (name, value) in more.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

#[test]
fn fields_are_places_templates_words_and_texts() {
    let inbound = start(OWN).unwrap();
    let fault = message("fault", json!({ "net": "phone" }));
    assert_eq!(inbound.outcome("own", &fault).0, "opened");
    let fields = inbound.ticket("1")["fields"].clone();
    assert_eq!(fields["problem"], "NO TONE (7)");
    assert_eq!(fields["service"], "Telephony");
    assert_eq!(fields["impact"], "One person");
    assert_eq!(
        inbound.outcome("own", &message("talk", json!({}))),
        ("commented".into(), one("1"))
    );
    assert_eq!(
        inbound.outcome("own", &message("noise", json!({}))),
        ("ignored".into(), None)
    );
    assert_eq!(
        inbound.outcome("own", &message("talk", json!({ "no": 8 }))),
        ("no-ticket".into(), None)
    );
    let mail = message("alarm-3", json!({ "no": 9, "net": "the mail server" }));
    assert_eq!(inbound.outcome("own", &mail).0, "opened");
    assert_eq!(inbound.ticket("2")["fields"]["service"], "E-mail");
    let none = message("fault", json!({ "no": 10 }));
    assert_eq!(inbound.outcome("own", &none).0, "opened");
    assert!(inbound.ticket("3")["fields"].get("service").is_none());

    let refused = |more: Value, expected: &str| {
        let said = inbound
            .post("own", &message("fault", more))
            .refuses(422, "not-understood");
        let detail = said["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{detail}");
        assert!(
            !detail.contains("s3cret"),
            "what it says is not told again: {detail}"
        );
    };
    refused(json!({ "who": null }), "field `caller`: `/who` is missing");
    refused(
        json!({ "who": { "s3cret": 1 } }),
        "field `caller`: `/who` is not one text",
    );
    refused(
        json!({ "net": "s3cret" }),
        "field `service`: none of the `words`",
    );
    refused(
        json!({ "test": true }),
        "no rule is for what stands at `/kind`, `/test`",
    );
    refused(json!({ "what": null, "no": null }), "key: `/no` is missing");
    let form = message("fault", json!({ "no": 11, "who": "" }));
    assert_eq!(
        inbound.outcome("own", &form).0,
        "opened",
        "an empty field is empty"
    );
}

#[test]
fn every_mistake_of_a_map_is_told_at_the_start() {
    let map = "
map: Wrong
workflw: it-incident
key: no/pointer~2
rules:
  - when: { status: firing }
    open: { summary: \"{{ item.a\", caller: /a~ }
  - open: { summary: x }
    ignore: true
  - message: over
    opener: /a
  - {}
";
    let said = start(map).err().unwrap();
    for expected in [
        "`[source.own]`: `map`:",
        "own.yaml",
        "the map has no key `workflw`",
        "`status` is no place in a message",
        "the template can't be read",
        "`/a~` is no place in a message",
        "this rule does something, and ignores",
        "this rule is never looked at",
        "`opener` needs `open`",
        "this rule does nothing",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let said = start("rules: []").err().unwrap();
    for expected in ["`map`", "`key`", "a map without rules"] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let no_workflow = "map: A\nkey: /a\nrules:\n  - comment: /b\n";
    let said = start(no_workflow).err().unwrap();
    assert!(said.contains("`workflow` is missing"), "{said}");
}

#[test]
fn what_the_workflows_do_not_have_is_told_at_the_start() {
    let map = "
map: Wrong
workflow: it-incident
key: /a
rules:
  - when: { /a: b }
    open: { sumary: x, severity: Sev 9 }
    again: nothing-awaits
  - message: over
    with: { fix: { from: /a, words: { b: c } }, service: { from: /a, words: { b: Moon }, else: Shop } }
";
    let said = start(map).err().unwrap();
    for expected in [
        "`it-incident` has no field `sumary`",
        "`severity` has no option `Sev 9`",
        "awaits the message `nothing-awaits`",
        "awaits the message `over`",
        "`service` has no option `Moon`",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let said = start("map: A\nworkflow: it-incidnt\nkey: /a\nrules:\n  - comment: /b\n")
        .err()
        .unwrap();
    assert!(said.contains("there is no workflow `it-incidnt`"), "{said}");
}

#[test]
fn templates_are_bounded() {
    let map = "
map: Endless
workflow: it-incident
key: /a
rules:
  - when: { /loop: true }
    open: { alert: \"{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}\" }
  - open: { summary: \"{% for a in range(2000) %}{{ item.long }}{% endfor %}\", alert: x }
";
    let inbound = start(map).unwrap();
    let endless = json!({ "a": 1, "loop": true });
    let said = inbound.post("own", &endless).refuses(422, "not-understood");
    assert!(said["detail"].as_str().unwrap().contains("fuel"), "{said}");
    let long = json!({ "a": 2, "long": "长".repeat(5000) });
    assert_eq!(inbound.outcome("own", &long).0, "opened");
    let summary = inbound.ticket("1")["fields"]["summary"].clone();
    let length = summary.as_str().unwrap().len();
    assert!(
        (16_000..=crate::inbound::MAX_TEMPLATE_BYTES).contains(&length),
        "{length}"
    );
}

#[test]
fn a_source_must_be_able_to_prove_itself() {
    use crate::settings::{Given, Settings};
    let text = "data = \"d\"\nworkflows = \"w\"\n[source.a]\nmap = \"alertmanager\"\n\
        [source.b]\nmap = \"x.yaml\"\ntoken = { env = \"T\" }\nkey = 3\n\
        [source.\"c d\"]\nmap = \"x\"\n[source.e]\nmap = \"x\"\ntoken = { env = \"T\" }\n\
        previous-secret = { env = \"T\" }\n";
    let faults = Settings::read(&Given::default().text("upline.toml", text))
        .unwrap_err()
        .join("\n");
    for expected in [
        "`[source.a]`: `token` or `secret` is missing",
        "`[source.b]`: unknown field `key`",
        "`[source.c d]`",
        "`[source.e]`: `previous-secret` needs a `secret`",
    ] {
        assert!(faults.contains(expected), "{expected}\n{faults}");
    }
    let folder = tempfile::tempdir().unwrap();
    let short = SourceSettings {
        token: Some(kept(&folder, "short", "1234")),
        ..SourceSettings::new("alertmanager")
    };
    let no_key = SourceSettings {
        secret: Some(kept(&folder, "plain", "open sesame, open sesame")),
        ..SourceSettings::new("alertmanager")
    };
    let no_map = settings(&folder, "nowhere.yaml");
    let sources = [("a", short), ("b", no_key), ("c", no_map)];
    let sources = sources
        .map(|(name, source)| (name.to_owned(), source))
        .into();
    let Err(StartError::Sections(faults)) = started(sources).map(drop) else {
        panic!("it has started");
    };
    let faults = faults.join("\n");
    for expected in [
        "`token` must have at least 16 bytes",
        "`secret` must be `whsec_`",
        "nowhere.yaml",
    ] {
        assert!(faults.contains(expected), "{expected}\n{faults}");
    }
    assert!(
        faults.contains("`alertmanager`, `call-centre`, `cloudevents`"),
        "{faults}"
    );
    assert!(!faults.contains("sesame"), "{faults}");
}
