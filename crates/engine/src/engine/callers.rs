//! The tickets of a caller: found in any spelling, open and ended, whatever happens to the index; and not
//! found any more once the field has changed or the ticket is erased.

use std::path::Path;

use upline_core::decide::Migration;
use upline_core::{Typed, Wish};

use super::ended::{acting, holder};
use super::*;
use crate::clock::ManualClock;
use crate::disk::{Disk, RealDisk};
use crate::doctor::{IndexCheck, compare_index, examine};
use crate::index::{Filter, Standing, State};
use crate::kit::{CALL, DESK, begin, person};
use crate::store::log::backup::{backup, restore};
use crate::vault::contacts;

fn builder() -> Builder {
    Engine::builder()
        .clock(ManualClock::at(begin()))
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
}

async fn on(folder: &Path) -> Engine {
    builder().folder(folder).unwrap().start().await.unwrap()
}

fn from(caller: &str) -> Typed {
    vec![("caller".into(), caller.into())]
}

async fn open(handle: &Handle, caller: &str) -> String {
    let opened = handle.open("call", person("max"), from(caller)).await;
    opened.unwrap().id.to_string()
}

async fn end(handle: &Handle, id: &str) {
    let by = holder(handle, id).await;
    handle.submit(id, acting(&by, "done")).await.unwrap();
    handle.settled().await.unwrap();
}

/// All ids that are found, in pages of two.
async fn of(handle: &Handle, contact: &str) -> Vec<String> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = handle.of_contact(contact, before, 2).await.unwrap();
        assert!(page.items.len() <= 2);
        assert!(page.items.iter().all(|ticket| ticket.fields.is_empty()));
        all.extend(page.items.into_iter().map(|ticket| ticket.id.to_string()));
        before = page.next;
        if before.is_none() {
            return all;
        }
    }
}

async fn stopped_and_compared(engine: Engine, folder: &Path) {
    engine.stop().await.unwrap();
    match compare_index(folder, &mut |_, _| ()).unwrap() {
        IndexCheck::Compared(verified) => assert!(verified.is_fine(), "{verified:?}"),
        other => panic!("{other:?}"),
    }
    let checkup = examine(folder, &mut |_, _| ()).unwrap();
    assert!(checkup.is_fine(), "{checkup:?}");
}

/// Seven tickets of three callers: 1, 3, 4 and 7 by number, 2 and 6 by address, 5 by name.
async fn work(handle: &Handle) {
    let callers = [
        "+49 30 1234567",
        "Mr Low <low@example.com>",
        "0049 (0)30 123-4567",
        "tel:+49301234567",
        "王先生",
        "LOW@example.com",
        "+49.30.1234567",
    ];
    for (caller, id) in callers.iter().zip(["1", "2", "3", "4", "5", "6", "7"]) {
        assert_eq!(open(handle, caller).await, id);
        if ["1", "4", "6"].contains(&id) {
            end(handle, id).await;
        }
    }
}

async fn everything_is_found(handle: &Handle) {
    for number in ["+49 30 1234567", "(+49) 30/1234567", "004930 1234567"] {
        assert_eq!(of(handle, number).await, ["7", "4", "3", "1"], "{number}");
    }
    assert_eq!(of(handle, "low@EXAMPLE.com").await, ["6", "2"]);
    assert_eq!(of(handle, "王先生").await, ["5"]);
    for nobody in ["030 1234567", "low@example.co", "Mr Low", "", " ", "call"] {
        assert_eq!(of(handle, nobody).await, [""; 0], "{nobody:?}");
    }
}

#[tokio::test]
async fn they_are_found_in_any_spelling_in_memory_and_in_a_folder_that_is_started_again() {
    let engine = builder().start().await.unwrap();
    work(&engine.handle()).await;
    everything_is_found(&engine.handle()).await;
    engine.stop().await.unwrap();

    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    work(&engine.handle()).await;
    everything_is_found(&engine.handle()).await;
    stopped_and_compared(engine, home.path()).await;
    for lost in ["", "index", contacts::FILE] {
        let lost_path = home.path().join(lost);
        match lost {
            "" => (),
            "index" => std::fs::remove_dir_all(lost_path).unwrap(),
            _ => std::fs::remove_file(lost_path).unwrap(),
        }
        let engine = on(home.path()).await;
        let handle = engine.handle();
        everything_is_found(&handle).await;
        // And with what else a list may ask for.
        let archive = handle.archive().unwrap();
        for (standing, ids) in [(Standing::Open, ["7", "3"]), (Standing::Ended, ["4", "1"])] {
            let filter = Filter::default().standing(standing).newest_first();
            let filter = filter.contact("0049301234567");
            let page = archive.list(filter.clone(), None, 9).await.unwrap();
            let found = page.items.iter().map(|ticket| ticket.id.as_str());
            assert_eq!(found.collect::<Vec<_>>(), ids, "{standing:?}");
            let none = archive.list(filter.workflow("another"), None, 9).await;
            assert_eq!(none.unwrap().items, []);
        }
        assert_eq!(
            handle.status().await.unwrap().index,
            Some(State::Following { behind: 0 })
        );
        stopped_and_compared(engine, home.path()).await;
    }
}

#[tokio::test]
async fn one_whose_caller_has_changed_or_that_is_erased_is_found_no_more() {
    let home = tempfile::tempdir().unwrap();
    for (engine, on_disk) in [
        (builder().start().await.unwrap(), false),
        (on(home.path()).await, true),
    ] {
        let handle = engine.handle();
        work(&handle).await;
        let by = holder(&handle, "3").await;
        let wish = Wish::Act {
            action: "accept".into(),
            fields: from("low@example.com"),
            note: None,
        };
        let change = Submission::new(person(&by), wish);
        handle.submit("3", change).await.unwrap();
        handle.erase("4", "max").await.unwrap();
        handle.erase("6", "max").await.unwrap();
        let changed = |handle: Handle| async move {
            assert_eq!(of(&handle, "+49301234567").await, ["7", "1"]);
            assert_eq!(of(&handle, "low@example.com").await, ["3", "2"]);
        };
        changed(handle).await;
        if !on_disk {
            continue;
        }
        stopped_and_compared(engine, home.path()).await;
        for anew in [false, true] {
            if anew {
                std::fs::remove_dir_all(home.path().join("index")).unwrap();
            }
            let engine = on(home.path()).await;
            changed(engine.handle()).await;
            stopped_and_compared(engine, home.path()).await;
        }
    }
}

/// A crash may come between the key and the commit that tells of it.
#[tokio::test]
async fn a_key_that_is_gone_without_a_word_is_no_difference_and_is_put_right_by_erasing_again() {
    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    work(&engine.handle()).await;
    everything_is_found(&engine.handle()).await;
    stopped_and_compared(engine, home.path()).await;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(home.path()));
    let id = crate::store::log::identity::read(&*disk).unwrap();
    let vault = crate::vault::Vault::open(disk, id.0, system_entropy()).unwrap();
    vault.destroy(4).unwrap();
    let engine = on(home.path()).await;
    stopped_and_compared(engine, home.path()).await;
    let engine = on(home.path()).await;
    engine.handle().erase("4", "max").await.unwrap();
    let found = of(&engine.handle(), "+49301234567").await;
    assert_eq!(found, ["7", "3", "1"]);
    stopped_and_compared(engine, home.path()).await;
}

#[tokio::test]
async fn in_another_version_other_fields_hold_contacts() {
    let text = CALL.replace("type: contact", "type: text");
    let first = text
        .replace("form: [caller]", "form: [caller, other]")
        .replace(
            "fields:",
            "fields:\n  other: { type: contact, label: Other }",
        );
    let second = first
        .replace("type: contact", "type: text")
        .replace("caller: { type: text", "caller: { type: contact")
        .replace("workflow: call", "workflow: call\nversion: 2");
    let home = tempfile::tempdir().unwrap();
    for memory in [true, false] {
        let builder = Engine::builder().clock(ManualClock::at(begin()));
        let builder = match memory {
            true => builder,
            false => builder.folder(home.path()).unwrap(),
        };
        let builder = builder
            .file("desk.yaml", DESK)
            .file("call.yaml", first.as_str());
        let engine = builder.start().await.unwrap();
        let handle = engine.handle();
        let mut fields = from("Mr Low");
        fields.push(("other".into(), "Ms Qi".into()));
        for _ in 0..2 {
            let opened = handle.open("call", person("max"), fields.clone()).await;
            opened.unwrap();
        }
        assert_eq!(of(&handle, "ms qi").await, ["2", "1"]);
        assert_eq!(of(&handle, "mr low").await, [""; 0]);
        let file = crate::record::File {
            name: "call.yaml".into(),
            text: second.clone(),
        };
        handle.deploy(vec![file]).await.unwrap();
        let plan = Migration::default();
        let moved = handle.migrate("1", 2, plan, person("max")).await;
        moved.unwrap();
        assert_eq!(of(&handle, "ms qi").await, ["2"]);
        assert_eq!(of(&handle, "mr low").await, ["1"]);
        match memory {
            true => engine.stop().await.unwrap(),
            false => stopped_and_compared(engine, home.path()).await,
        }
    }
    std::fs::remove_dir_all(home.path().join("index")).unwrap();
    let builder = Engine::builder().clock(ManualClock::at(begin()));
    let engine = builder.folder(home.path()).unwrap().start().await.unwrap();
    assert_eq!(of(&engine.handle(), "mr low").await, ["1"]);
    assert_eq!(of(&engine.handle(), "ms qi").await, ["2"]);
    stopped_and_compared(engine, home.path()).await;
}

#[tokio::test]
async fn a_restored_backup_finds_them_and_has_no_secret_of_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| home.path().join(name);
    let engine = on(&folder("data")).await;
    work(&engine.handle()).await;
    let from: Arc<dyn Disk> = Arc::new(RealDisk::new(folder("data")));
    let copy = RealDisk::new(folder("backup"));
    backup(&from, &copy, &mut |_| ()).unwrap();
    stopped_and_compared(engine, &folder("data")).await;
    assert!(!folder("backup").join(contacts::FILE).exists());
    let to: Arc<dyn Disk> = Arc::new(RealDisk::new(folder("restored")));
    restore(&copy, &to, &mut |_| ()).unwrap();
    let engine = on(&folder("restored")).await;
    everything_is_found(&engine.handle()).await;
    stopped_and_compared(engine, &folder("restored")).await;
    let secret = |name: &str| std::fs::read(folder(name).join(contacts::FILE)).unwrap();
    assert_ne!(secret("data"), secret("restored"));
}
