use std::collections::BTreeMap;
use std::path::PathBuf;

use upline_dsl::{Code, Severity};

use super::Prepared;
use crate::fixture::{OFFICE, PEOPLE, office_files};

/// A transcript in the office; its files are at hand.
fn prepared(text: &str) -> Prepared {
    Prepared::new("office.test.txt", text, &mut office_files())
}

/// What is wrong with a transcript, as `line:column: message`.
fn wrong(text: &str) -> Vec<String> {
    let mut prepared = prepared(text);
    let outcome = prepared.run();
    let found = prepared.found.iter();
    let errors = found.filter(|one| one.severity == Severity::Error);
    let wrong: Vec<String> = errors
        .map(|one| {
            let site = &one.primary;
            let at = prepared.sources.position(site.file, site.span.start);
            format!("{}:{}: {}", at.line, at.column, one.message)
        })
        .collect();
    assert_eq!(outcome.is_none(), !wrong.is_empty());
    wrong
}

#[test]
fn all_mistakes_at_once_at_their_places() {
    let text = "\x20   Fri 17:20  too early
zone: Mars/Olympus
> tom opens
at 2026-03-06
at noon
bob claims
> zoe claims
> tom opens with caller \"Mr Low
> ann acept
> ann accept now
> ann comments aloud
> ann delegates to
> ann saves cause
> engine sleeps
> operator
workflow: other.yaml
";
    let expected = [
        "1:1: a journal line stands after the step that it belongs to",
        "2:7: there is no time zone `Mars/Olympus`",
        "3:2: the first step is `at`: it says when all this begins",
        "4:14: here a time such as `2026-03-09 10:00` or `10:00` is missing",
        "5:4: here a time such as `2026-03-09 10:00` or `10:00` is meant, not `noon`",
        "7:3: there is no person `zoe`",
        "8:25: the text is not closed by a quotation mark",
        "9:7: there is no action `acept`",
        "10:14: `now` is too much here",
        "11:16: here what is said in quotation marks is meant, not `aloud`",
        "12:19: here somebody's name is missing",
        "13:13: there is no field `cause`",
        "14:10: here `stops` or `starts` is meant, not `sleeps`",
        "15:11: here who does it is missing",
    ];
    let mut wrong = wrong(&text.replace("workflow: other.yaml\n", ""));
    wrong.sort_by_key(|line| line.split_once(':').unwrap().0.parse::<u32>().unwrap());
    assert!(wrong.remove(5).starts_with("6:1: a line is `at TIME`"));
    assert_eq!(wrong, expected);
}

#[test]
fn files_that_are_not_there_and_settings_too_late() {
    let found = wrong("workflow: other.yaml\nat 2026-03-06 17:20\ndirectory: people.yaml\n");
    let unread = "1:11: cannot read `other.yaml`: there is no such file";
    assert!(found.iter().any(|one| one == unread), "{found:?}");
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("3:1: settings stand before")),
        "{found:?}"
    );
    let found = wrong("--- people\nat 2026-03-06 17:20\n");
    assert!(found[0].contains("a section is"), "{found:?}");
}

/// The codes of what is wrong in the files of a transcript, and whether some of them are not there.
fn refused(text: &[u8], files: &[(&str, &str)]) -> (Vec<(String, Code)>, bool) {
    let files = files
        .iter()
        .map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec()));
    let mut prepared = Prepared::new(
        "t/office.test.txt",
        text,
        &mut files.collect::<BTreeMap<_, _>>(),
    );
    assert!(prepared.run().is_none());
    let found = prepared.found.iter();
    let found = found.map(|one| (prepared.sources.name(one.primary.file).to_owned(), one.code));
    (found.collect(), prepared.lacks_files)
}

/// What is wrong with a transcript and these files, as `line:column: message`.
fn wrong_files(text: &[u8], files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec()));
    let files = &mut files.collect::<BTreeMap<_, _>>();
    let mut prepared = Prepared::new("t/office.test.txt", text, files);
    assert!(prepared.run().is_none());
    let told = prepared.found.iter().map(|one| {
        let at = prepared
            .sources
            .position(one.primary.file, one.primary.span.start);
        format!("{}:{}: {}", at.line, at.column, one.message)
    });
    told.collect()
}

#[test]
fn what_check_refuses_is_not_played() {
    let text = b"at 2026-03-06 17:20\n> tom opens\n";
    let forgotten = OFFICE.replace(
        "    escalate: nobody-acts\n    actions: { done",
        "    actions: { done",
    );
    let own = ("t/office.directory.yaml", PEOPLE);
    let workflow = ("t/office.yaml", forgotten.as_str());
    let found = ("t/office.yaml".to_owned(), Code::ForgettableState);
    assert_eq!(
        refused(text, &[workflow, own]),
        (vec![found.clone()], false)
    );
    // The same in the transcript itself, and with the directory in the folder above.
    let inside = format!("--- workflow\n{forgotten}--- transcript\nat 2026-03-06 17:20\n");
    let (codes, _) = refused(inside.as_bytes(), &[("directory.yaml", PEOPLE)]);
    assert_eq!(
        codes,
        [("t/office.test.txt".to_owned(), Code::ForgettableState)]
    );
}

#[test]
fn a_transcript_without_people_or_in_another_encoding() {
    let workflow = ("t/office.yaml", OFFICE);
    let file = "t/office.test.txt".to_owned();
    let bad = (vec![(file.clone(), Code::BadTranscript)], true);
    assert_eq!(refused(b"at 2026-03-06 17:20\n", &[workflow]), bad);
    let two = [
        workflow,
        ("t/a.yaml", "directory: a"),
        ("t/b.yaml", "directory: b"),
    ];
    assert_eq!(refused(b"at 2026-03-06 17:20\n", &two), (bad.0, false));
    let latin = refused(b"# caf\xE9\nat 2026-03-06 17:20\n", &[]);
    assert_eq!(latin, (vec![(file, Code::WrongEncoding)], false));
}

#[test]
fn times_that_cannot_be() {
    let back = wrong("at 2026-03-06 17:20\n> tom opens\nat 2026-03-06 17:00\n");
    assert_eq!(back, ["3:4: time does not run backwards"]);
    // A slip in the year: 700 years of reminders would otherwise be played.
    let far = wrong("at 2026-03-06 17:20\n> tom opens\nat 2726-03-09 09:30\n");
    assert_eq!(
        far,
        ["3:4: the clock skips at most 732 days: is the year right?"]
    );
    let first = wrong("at 17:20\n");
    assert_eq!(
        first,
        ["1:4: the first time needs a date: `2026-03-06 17:20`"]
    );
}

/// As in workflows and logs: the first time after the skip, and the first of two.
#[test]
fn times_at_a_change_of_the_clocks() {
    let text = "\
zone: Europe/Berlin
at 2026-03-29 02:30
> tom opens
at 2026-03-29 03:01
> tom opens
";
    let played = |text: &str| {
        let mut prepared = prepared(text);
        let outcome = prepared.run().unwrap();
        let steps = outcome.steps.iter();
        let first = steps.filter_map(|step| step.actual.first().cloned());
        first.collect::<Vec<_>>()
    };
    assert_eq!(
        played(text),
        ["Sun 03:00  state: asked", "Sun 03:01  t2: state: asked"]
    );
    let twice = text.replace("03-29 02:30", "10-25 02:30");
    let twice = twice.replace("03-29 03:01", "10-25 03:01");
    assert_eq!(played(&twice)[0], "Sun 02:30+02  state: asked");
}

#[test]
fn a_transcript_that_tests_nothing_is_an_error() {
    let nothing = "1:1: nothing is tested: a transcript has steps, such as `at 2026-03-06 17:20` and \
                   `> ann opens`";
    for text in [
        "",
        "# Later.\n",
        "zone: Europe/Berlin\n",
        "at 2026-03-06 17:20\n",
    ] {
        assert_eq!(wrong(text), [nothing], "{text:?}");
    }
}

#[test]
fn fields_that_are_not_there_are_mistakes() {
    let workflow = OFFICE.replace("promises:", "fields: { cost: { type: number } }\npromises:");
    let opened = "at 2026-03-06 17:20\n> tom opens";
    for (step, told) in [
        (" with coast 1", "did you mean `cost`?"),
        ("\n> ann accept with nothing 1", "there are: cost"),
        ("\n> ann saves csot 1", "did you mean `cost`?"),
        ("\n> run done with cost 1", "there are none"),
    ] {
        let text = format!("--- workflow\n{workflow}--- transcript\n{opened}{step}\n");
        let mut prepared = prepared(&text);
        assert!(prepared.run().is_none(), "{step}");
        let found: Vec<_> = prepared.found.iter().collect();
        assert_eq!(found.len(), 1, "{step}: {found:?}");
        assert_eq!(
            (found[0].code, found[0].primary.text.as_str()),
            (Code::UnknownField, told)
        );
    }
}

#[test]
fn a_file_of_the_wrong_sort_is_told_as_what_it_is() {
    let text = b"workflow: people.yaml\nat 2026-03-06 17:20\n> tom opens\n";
    let found = wrong_files(text, &[("t/people.yaml", PEOPLE)]);
    assert_eq!(
        found,
        ["1:11: `t/people.yaml` is a directory, not a workflow: name it with `directory: FILE`"]
    );
    let text = b"directory: office.yaml\nat 2026-03-06 17:20\n> tom opens\n";
    let found = wrong_files(
        text,
        &[("t/office.yaml", OFFICE), ("t/people.yaml", PEOPLE)],
    );
    assert_eq!(
        found,
        ["1:12: `t/office.yaml` is a workflow, not a directory: name it with `workflow: FILE`"]
    );
}

#[test]
fn an_unknown_zone_is_told_with_the_one_that_is_meant() {
    let mut prepared = prepared("zone: Europe/Berln\nat 2026-03-06 17:20\n> tom opens\n");
    assert!(prepared.run().is_none());
    let labels: Vec<_> = prepared
        .found
        .iter()
        .map(|one| one.primary.text.as_str())
        .collect();
    assert_eq!(labels, ["did you mean `Europe/Berlin`?"]);
}

#[test]
fn a_section_has_the_lines_of_the_transcript() {
    let text = "# A note.\n--- workflow\nworkflow: tiny\nstart: nowhere\nstates: {}\n--- transcript\nat 2026-03-06 17:20\n";
    let found = wrong(text);
    assert!(
        found.iter().any(|one| one.starts_with("4:8: ")),
        "{found:?}"
    );
}

/// A transcript whose journal is right but for one line.
const DIFFERS: &str = "\
# Who is asked.
at 2026-03-06 16:45
> tom opens
    Fri 16:45  state: asked
    # Only ann is there.
    Fri 16:45  offered to desk: bob; lea is answerable
    Fri 16:45  notify ann by mail
    Fri 16:45  notify lea by mail
    Fri 16:45  next: another in desk, Mon 09:15
    Fri 16:45  promise answer: 4 h, due Mon 12:45

> ann accept";

#[test]
fn the_journal_differs_at_its_line_and_blessing_changes_only_that() {
    let mut prepared = prepared(DIFFERS);
    let outcome = prepared.run().unwrap();
    assert!(!outcome.passed());
    assert_eq!(outcome.failures().count(), 2);
    let diff = outcome.diff(&prepared.script);
    let mut lines = diff.lines();
    assert_eq!(lines.next(), Some("office.test.txt:6: the journal differs"));
    assert_eq!(lines.next(), Some("     3 | > tom opens"));
    assert_eq!(lines.next(), Some("     4 |     Fri 16:45  state: asked"));
    assert!(diff.contains("     6 |-    Fri 16:45  offered to desk: bob; lea is answerable"));
    assert!(diff.contains("       |+    Fri 16:45  offered to desk: ann; lea is answerable"));
    let blessed = outcome.blessed(&prepared.script);
    let again = self::prepared(&blessed).run().unwrap();
    assert!(again.passed(), "{blessed}");
    assert!(
        blessed
            .starts_with("# Who is asked.\nat 2026-03-06 16:45\n> tom opens\n    Fri 16:45  state")
    );
    assert!(blessed.contains("    # Only ann is there.\n"));
    // Line ends stay as they are.
    let windows = DIFFERS.replace('\n', "\r\n");
    let mut windows = self::prepared(&windows);
    let outcome = windows.run().unwrap();
    assert_eq!(
        outcome.blessed(&windows.script),
        blessed.replace('\n', "\r\n")
    );
}

#[test]
fn coverage_names_what_was_not_exercised() {
    let mut prepared = prepared(DIFFERS);
    let outcome = prepared.run().unwrap();
    let setting = prepared.setting.as_ref().unwrap();
    let whole = super::Coverage::whole(setting.workflows.newest("office").unwrap());
    let missing = outcome.coverage.missing(&whole);
    let states: Vec<_> = missing
        .states
        .iter()
        .map(|(_, state)| state.as_str())
        .collect();
    assert_eq!(states, ["closed"]);
    let actions: Vec<_> = missing
        .actions
        .iter()
        .map(|(_, _, action)| action.as_str())
        .collect();
    assert_eq!(actions, ["done"]);
    assert_eq!(missing.levels.len(), 2);
}
