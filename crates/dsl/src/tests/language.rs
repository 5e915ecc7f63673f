//! What each part of the language means.

use upline_core::workflow::{BodyValue, CatchUp, Doing, Join, Since, StateKind};
use upline_core::{FieldType, Name, Span, Value, Work};

use super::{check, workflow};
use crate::Read;

const REST: &str = "
start: new
states:
  new: { assign: opener, actions: { go: done } }
  done: { end: done }
";

fn work<'a>(read: &'a Read<upline_core::Workflow>, state: &str) -> &'a Work {
    read.value.work(state).unwrap()
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn a_short_workflow_has_defaults() {
    let read = workflow(&format!("workflow: tiny\n{REST}"));
    let tiny = &read.value;
    assert_eq!((tiny.version, tiny.title.text("zh")), (1, "tiny"));
    assert_eq!(tiny.calendar, None);
    assert_eq!(tiny.catch_up, CatchUp::FromTold);
    assert_eq!(tiny.suspend_at_most, Span::days(30).around_the_clock());
    assert_eq!(tiny.place.to_string(), "workflow.yaml:1");
    assert_eq!(tiny.states["done"].place.to_string(), "workflow.yaml:6");
    let go = work(&read, "new").action("go").unwrap();
    assert_eq!((go.label.text("en"), go.goto.as_str()), ("go", "done"));
}

#[test]
fn a_promise_says_all_of_it() {
    let read = workflow(&format!(
        "workflow: promises
catch-up: from-due
suspend-at-most: 5 days
fields:
  impact: {{ type: choice, options: [One person, Everyone] }}
  priority: {{ type: choice, options: [low, high] }}
promises:
  fix:
    within: 8 h
    except: [{{ when: impact is Everyone, within: 4 h }}]
    calendar: office-hours
    met-in: [done]
    paused-in: new
    once: true
    warn: [{{ at: 75%, notify: opener }}, {{ at: 50 %, notify: [assignee] }}]
    breach: {{ notify: manager of service-desk, escalate: true, set: {{ priority: high }}, goto: done }}
  update: {{ within: 2 h around the clock, since: caller }}
{REST}"
    ));
    assert_eq!(read.value.catch_up, CatchUp::FromDue);
    assert_eq!(read.value.suspend_at_most, Span::days(5));
    let [fix, update] = &read.value.promises[..] else {
        panic!("two promises");
    };
    assert_eq!(fix.within, Span::hours(8));
    assert_eq!(fix.except[0].0.to_string(), "impact is Everyone");
    assert_eq!(fix.except[0].1, Span::hours(4));
    assert!(fix.once && fix.met_in.contains("done") && fix.paused_in.contains("new"));
    let warned: Vec<u8> = fix.warn.iter().map(|warn| warn.percent).collect();
    assert_eq!(warned, [50, 75]);
    assert_eq!(texts(&fix.breach.notify), ["manager of service-desk"]);
    assert!(fix.breach.escalate);
    let high = (Name::from("priority"), Value::Text("high".to_owned()));
    assert_eq!(fix.breach.set, [high]);
    assert_eq!(fix.breach.goto.as_deref(), Some("done"));
    assert_eq!(update.since, Since::Caller);
    assert!(update.met_in.is_empty());
}

#[test]
fn a_ladder_has_a_long_form_and_is_chosen_by_conditions() {
    let read = workflow(
        "workflow: ladders
fields: { severity: { type: choice, options: [minor, major] }, priority: { type: number } }
ladders:
  calm: [{ after: 1 h, assign: lead of service-desk }]
  urgent:
    levels:
      - { after: 5 min, assign: on call for duty-officer, notify: opener }
      - { after: 10 min, notify: [user ann, manager of service-desk], set: { priority: 1 } }
    repeat: 2
    back-to: 2
    restart: on-activity
    answer-by: 4 h
  back: { levels: [{ after: 1 h, notify: opener }], back-to: 1, restart: never }
start: new
states:
  new:
    assign: opener
    escalate:
      - { when: severity is major, ladder: urgent }
      - { else: calm }
    actions: { go: done }
  done: { end: done }
",
    );
    let urgent = &read.value.ladders["urgent"];
    assert_eq!((urgent.repeat, urgent.back_to), (2, Some(2)));
    assert_eq!(urgent.restart_on_activity, Some(true));
    assert_eq!(urgent.answer_by, Some(Span::hours(4)));
    let first = urgent.levels[0].assign.as_ref().unwrap();
    assert_eq!(first.text, "on call for duty-officer");
    assert_eq!(first.place.to_string(), "workflow.yaml:7");
    assert!(urgent.levels[1].assign.is_none());
    assert_eq!(urgent.levels[1].set[0].1, Value::Number(1.into()));
    let back = &read.value.ladders["back"];
    assert_eq!(
        (back.repeat, back.back_to, back.restart_on_activity),
        (1, Some(1), Some(false))
    );
    let choices: Vec<_> = work(&read, "new")
        .escalate
        .iter()
        .map(|choice| {
            (
                choice.when.as_ref().map(ToString::to_string),
                choice.ladder.as_str(),
            )
        })
        .collect();
    let severe = Some("severity is major".to_owned());
    assert_eq!(choices, [(severe, "urgent"), (None, "calm")]);
}

#[test]
fn an_action_has_conditions_and_consequences() {
    let read = workflow(
        "workflow: actions
fields:
  caller: { type: contact }
  cause: { type: text }
  tags: { type: choices, options: [a, b, c] }
  fixed: { type: flag }
start: new
states:
  new:
    assign: opener
    form: cause
    checklist: { backup: Backup made, tested: { en: Restore tested, zh: 已测试恢复 } }
    actions:
      accept:
        label: { en: Mine, zh: 受理 }
        by: [caller, anyone in service-desk except opener]
        requires: cause
        ticked: all
        set: { tags: [c, a], fixed: true }
        goto: done
      paid: { message: payment-received, ticked: [tested], goto: done }
    after: { 2 days: done, 1 h: done, 1 day around the clock: done }
  done: { end: done, by-silence: allowed, notify: caller }
",
    );
    let new = work(&read, "new");
    let [accept, paid] = &new.actions[..] else {
        panic!("two actions");
    };
    assert_eq!(accept.label.text("zh"), "受理");
    assert_eq!(
        texts(&accept.by),
        ["caller", "anyone in service-desk except opener"]
    );
    assert_eq!(accept.requires, ["cause"]);
    assert_eq!(accept.ticked, ["backup", "tested"]);
    let tags = Value::List(vec![Name::from("a"), Name::from("c")]);
    assert_eq!(accept.set[0].1, tags);
    assert_eq!(accept.set[1].1, Value::Flag(true));
    assert_eq!(paid.message.as_deref(), Some("payment-received"));
    assert_eq!(paid.ticked, ["tested"]);
    assert_eq!(new.checklist[1].label.text("zh"), "已测试恢复");
    let after: Vec<String> = new
        .after
        .iter()
        .map(|after| after.span.to_string())
        .collect();
    assert_eq!(after, ["1 h", "2 days", "1 day around the clock"]);
    let StateKind::End {
        outcome,
        by_silence,
        notify,
    } = &read.value.states["done"].kind
    else {
        panic!("an end");
    };
    assert_eq!(
        (outcome.as_str(), *by_silence, notify.len()),
        ("done", true, 1)
    );
}

#[test]
fn a_choice_decides_at_once() {
    let read = workflow(
        "workflow: choice
fields: { amount: { type: number } }
start: which
states:
  which:
    choose:
      - { when: amount is over 100, goto: check }
      - { else: done }
  check: { assign: opener, actions: { go: done } }
  done: { end: done }
",
    );
    let StateKind::Choose { cases, otherwise } = &read.value.states["which"].kind else {
        panic!("a choice");
    };
    assert_eq!(cases[0].0.to_string(), "amount is over 100");
    assert_eq!((cases[0].1.as_str(), otherwise.as_str()), ("check", "done"));
}

#[test]
fn machines_and_other_workflows_are_called() {
    let read = workflow(
        "workflow: machines
fields: { number: { type: text }, stock: { type: number } }
start: order
states:
  order:
    assign: opener
    run:
      webhook: warehouse
      body: { order: field number, kind: fixed, count: 2.50, fast: true, id: \"7\", odd: field-work }
      timeout: 20 s
      retries: 3
      backoff: 1 min
      take: { stock: amount }
    actions: { done: bill, failed: help }
  again:
    assign: opener
    run: { webhook: warehouse, body: [number] }
    actions: { done: bill, failed: help }
  bill:
    assign: opener
    call: { workflow: billing, with: { order: number }, take: { stock: left } }
    actions: { paid: done, refused: { label: Refused, goto: help } }
  help: { assign: opener, actions: { go: done } }
  done: { end: done }
",
    );
    let Some(Doing::Run(run)) = &work(&read, "order").doing else {
        panic!("a run");
    };
    let text = |text: &str| BodyValue::Literal(Value::Text(text.to_owned()));
    let body: Vec<&BodyValue> = run.body.iter().map(|(_, value)| value).collect();
    let expected = [
        BodyValue::Field(Name::from("number")),
        text("fixed"),
        BodyValue::Literal(Value::Number("2.50".parse().unwrap())),
        BodyValue::Literal(Value::Flag(true)),
        text("7"),
        text("field-work"),
    ];
    assert_eq!(body, expected.iter().collect::<Vec<_>>());
    assert_eq!(run.timeout, Span::seconds(20).around_the_clock());
    assert_eq!(
        (run.retries, run.backoff),
        (3, Span::minutes(1).around_the_clock())
    );
    assert_eq!(run.take, [(Name::from("stock"), Name::from("amount"))]);
    let Some(Doing::Run(again)) = &work(&read, "again").doing else {
        panic!("a run");
    };
    assert_eq!(again.retries, crate::limits::DEFAULT_RETRIES);
    assert_eq!(again.body[0].1, BodyValue::Field(Name::from("number")));
    let Some(Doing::Call(call)) = &work(&read, "bill").doing else {
        panic!("a call");
    };
    assert_eq!(call.workflow, "billing");
    assert_eq!(call.with, [(Name::from("order"), Name::from("number"))]);
    assert_eq!(call.take, [(Name::from("stock"), Name::from("left"))]);
}

#[test]
fn branches_are_little_machines_and_nest() {
    let read = workflow(
        "workflow: branches
start: both
states:
  both:
    title: Parts and visit
    notify: opener
    after: { 5 days: done }
    parallel:
      branches:
        parts:
          start: order
          states:
            order:
              parallel:
                branches:
                  customs:
                    start: declare
                    states:
                      declare: { assign: opener, actions: { go: cleared } }
                      cleared: { end: done }
                  freight:
                    start: ship
                    states:
                      ship: { assign: opener, actions: { go: shipped } }
                      shipped: { end: done }
                join: any
                goto: there
            there: { end: done }
        visit:
          start: drive
          states:
            drive: { assign: opener, actions: { go: visited } }
            visited: { end: done }
      join: all
      goto: done
  done: { end: done }
",
    );
    let Some(Doing::Parallel(both)) = &work(&read, "both").doing else {
        panic!("branches");
    };
    let starts: Vec<_> = both
        .branches
        .iter()
        .map(|(name, start)| (name.as_str(), start.as_str()))
        .collect();
    assert_eq!(starts, [("parts", "order"), ("visit", "drive")]);
    assert_eq!((both.join, both.goto.as_str()), (Join::All, "done"));
    let within = |state: &str| read.value.states[state].within.clone().unwrap();
    assert_eq!(within("ship"), (Name::from("order"), Name::from("freight")));
    assert_eq!(within("order"), (Name::from("both"), Name::from("parts")));
    let order = [
        "both", "order", "declare", "cleared", "ship", "shipped", "there", "drive", "visited",
        "done",
    ];
    assert_eq!(read.value.state_order, order);
    let line = |site: crate::Site| site.start;
    let text_at = read.spans.state(&read.value, "ship");
    assert_eq!(text_at.end - text_at.start, 4);
    assert!(line(text_at) > line(read.spans.state(&read.value, "order")));
}

#[test]
fn tickets_open_by_themselves() {
    let one = workflow(&format!(
        "workflow: backup
fields: {{ problem: {{ type: paragraph }} }}
every: {{ cron: \"0 8 * * mon\", time-zone: europe/berlin, set: {{ problem: Look at the backup }} }}
{REST}"
    ));
    assert_eq!(one.value.every[0].name, "every");
    assert_eq!(one.value.every[0].zone, "Europe/Berlin");
    let two = workflow(&format!(
        "workflow: backup
every:
  weekly: {{ cron: \"0 8 * * mon\", time-zone: UTC }}
  monthly: {{ cron: \"30 7 1 * *\", time-zone: Asia/Shanghai }}
{REST}"
    ));
    let names: Vec<_> = two
        .value
        .every
        .iter()
        .map(|every| every.name.as_str())
        .collect();
    assert_eq!(names, ["weekly", "monthly"]);
}

#[test]
fn names_and_labels_are_of_any_script() {
    let read = workflow(
        "workflow: 退款
fields: { 原因: { type: text, label: 退款原因 } }
start: 一线处理
states:
  一线处理: { assign: opener, form: 原因, actions: { 通过: { label: { zh: 通过, en: Approve }, goto: 结束 } } }
  结束: { end: 完成 }
",
    );
    assert_eq!(read.value.start, "一线处理");
    assert_eq!(read.value.fields["原因"].label.text("en"), "退款原因");
    // The same word in composed and in decomposed letters is the same name.
    let read = workflow(
        "workflow: forms
start: caf\u{e9}
states:
  cafe\u{301}: { assign: opener, actions: { go: done } }
  done: { end: done }
",
    );
    assert_eq!(read.value.start, "caf\u{e9}");
    assert!(read.spans.has(["states", "caf\u{e9}", "actions"]));
}

#[test]
fn options_have_texts_in_several_languages() {
    let read = workflow(
        "workflow: options
fields:
  plain: { type: choice, options: [Everyone, VIP] }
  impact:
    type: choices
    options:
      Everyone: { zh: 所有人, de: Alle }
      \"1e3\": More than a thousand
      \"no\": { en: Nobody, zh: 没有人 }
start: new
states:
  new: { assign: opener, form: [plain, impact], actions: { go: done } }
  done: { end: done }
",
    );
    let impact = &read.value.fields["impact"];
    let FieldType::Choices(options) = &impact.kind else {
        panic!("{:?}", impact.kind)
    };
    assert_eq!(options, &["Everyone", "1e3", "no"]);
    let texts = |language: &str| {
        options
            .iter()
            .map(|one| impact.option_text(one, language))
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("zh"), ["所有人", "More than a thousand", "没有人"]);
    assert_eq!(texts("en"), ["Everyone", "More than a thousand", "Nobody"]);
    assert_eq!(texts("fr"), ["Everyone", "More than a thousand", "no"]);
    let plain = &read.value.fields["plain"];
    assert!(plain.option_labels.is_empty());
    assert_eq!(plain.option_text("VIP", "zh"), "VIP");
}

#[test]
fn a_file_in_chinese_is_wrong_at_the_right_column() {
    let said = check("workflow: 退款\nstart: 一线处里\nstates:\n  一线处理: { end: 完成 }\n");
    let expected = [
        "error[unknown-state] 2:8 `一线处里`",
        "    there is no state `一线处里`",
        "    = did you mean `一线处理`?",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
