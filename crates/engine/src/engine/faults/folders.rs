//! Folders that are not what they should be.

use std::fs;

use super::*;

fn refused(folder: &Path) -> String {
    match Engine::builder().folder(folder) {
        Ok(_) => panic!("{folder:?} was opened"),
        Err(error) => error.to_string(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = all
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_made_with_those_above_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("var/lib/upline");
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let builder = Engine::builder().folder(&folder).unwrap();
    let engine = with(builder, &clock, &heard).await;
    open(&engine.handle()).await.unwrap();
    engine.stop().await.unwrap();
    let engine = on(&folder, &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[test]
fn where_no_folder_can_be_made_the_system_s_word_is_told_with_the_place() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let below = home.path().join("file/data");
    assert!(refused(&below).contains("file/data"), "{}", refused(&below));
    // Not even root makes a folder there.
    if Path::new("/proc/self").exists() {
        let said = refused(Path::new("/proc/upline"));
        assert!(said.contains("/proc/upline"), "{said}");
    }
}

#[test]
fn a_folder_of_something_else_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("letters.txt"), "Dear Ann").unwrap();
    let said = refused(home.path());
    assert!(said.contains("letters.txt"), "{said}");
    assert_eq!(names(home.path()), ["letters.txt"]);
}

#[tokio::test]
async fn a_folder_of_another_format_is_left_as_it_is_and_the_right_program_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    open(&engine.handle()).await.unwrap();
    engine.stop().await.unwrap();
    let file = home.path().join("folder");
    let ours = fs::read_to_string(&file).unwrap();
    let known = crate::store::log::FORMAT;
    for other in [known - 1, known + 1] {
        let text = ours.replacen(&format!(" {known}\n"), &format!(" {other}\n"), 1);
        assert_ne!(text, ours);
        fs::write(&file, text).unwrap();
        let before = names(home.path());
        let said = refused(home.path());
        assert!(
            said.contains(&format!("format {other}")) && said.contains("program"),
            "{said}"
        );
        assert_eq!(names(home.path()), before);
    }
    fs::write(&file, ours).unwrap();
    let engine = on(home.path(), &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn workflows_that_are_withdrawn_hold_on_for_the_tickets_that_they_began() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    for _ in 0..2 {
        open(&engine.handle()).await.unwrap();
    }
    engine.handle().settled().await.unwrap();
    engine.stop().await.unwrap();
    // The next program is not given the files any more.
    let builder = Engine::builder().folder(home.path()).unwrap();
    let engine = builder.clock(clock.clone()).start().await.unwrap();
    let handle = engine.handle();
    clock.forward(minutes(15));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "bob");
    // Another version has no state `working`, and hands on later.
    let text = "workflow: call\nversion: 2\nstart: asked\n\
                ladders: { climb: [{ after: 9 h, assign: lead of desk }] }\n\
                states:\n  asked: { assign: user max, escalate: climb, actions: { done: closed } }\n\
                \x20 closed: { end: done }\n";
    let file = File {
        name: "call.yaml".into(),
        text: text.into(),
    };
    let deployed = handle.deploy(vec![file]).await.unwrap();
    assert_eq!(deployed.workflows, [("call".into(), 2)]);
    handle.act("1", person("bob"), "accept").await.unwrap();
    assert_eq!(ticket(&handle, "1").await.positions[""].state, "working");
    clock.forward(minutes(30));
    handle.settled().await.unwrap();
    assert_eq!(
        holder(&handle, "2").await,
        "lea",
        "by the ladder of version 1"
    );
    let third = handle.open("call", person("max"), vec![]).await.unwrap();
    assert_eq!(holder(&handle, &third.id).await, "max", "by version 2");
    engine.stop().await.unwrap();
}
