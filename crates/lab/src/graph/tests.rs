use upline_dsl::{Sources, read_workflow};

use super::*;

const ORDER: &str = r#"
workflow: order
title: { en: An order, zh: 订单 }
calendar: desk-hours
fields:
  size: { type: choice, options: [small, large] }
ladders:
  nobody-acts:
    - { after: 15 min, assign: another in desk }
    - { after: 1 h, notify: [lead of desk, opener] }
start: sort
states:
  sort:
    choose:
      - { when: size is large, goto: both }
      - { else: done }
  both:
    title: { en: "Parts & \"permit\"", zh: 零件与许可 }
    parallel:
      branches:
        parts:
          start: fetch
          states:
            fetch:
              title: { en: Fetch parts, zh: 取零件 }
              assign: least busy in desk
              escalate: nobody-acts
              actions:
                got: { label: { en: Got them, zh: 取到了 }, goto: fetched }
            fetched: { end: done }
        permit:
          start: ask
          states:
            ask:
              assign: lead of desk
              actions: { granted: { label: <granted>, goto: asked } }
              after: { 2 days: asked }
            asked: { end: done, by-silence: allowed }
      join: all
      goto: done
  done: { end: done, by-silence: allowed }
"#;

fn order(language: &str) -> Graph {
    let (read, found) = read_workflow(&mut Sources::new(), "order.yaml", ORDER, None);
    let found: Vec<_> = found.iter().map(|one| one.message.clone()).collect();
    Graph::new(&read.unwrap_or_else(|| panic!("{found:?}")).value, language)
}

#[test]
fn a_terminal_shows_states_ladders_and_ways_out() {
    let expected = r#"order: 订单

→ sort
    when size is large → both
    else → done

both: 零件与许可
    parts → fetch
    permit → ask
    all done → done

fetch: 取零件 (branch parts)
    asks least busy in desk
    if nobody acts (nobody-acts):
      15 min later another in desk
      1 h later tell lead of desk, opener
      then the last resort
    “取到了” → fetched

fetched (end)

ask (branch permit)
    asks lead of desk
    “<granted>” → asked
    after 2 days → asked

asked (end)

done (end)
"#;
    assert_eq!(order("zh").to_text(), expected);
}

#[test]
fn mermaid_has_boxes_for_branches_and_no_bare_quotes() {
    let drawn = order("en").to_mermaid();
    for line in [
        "    start(( )) --> s0",
        "    s0{\"sort\"}",
        "    s1[\"Parts #amp; #quot;permit#quot;\"]",
        "    subgraph s1_2 [\"parts\"]",
        "    s2[\"Fetch parts<br/>least busy in desk<br/>ladder: nobody-acts\"]",
        "    s0 -->|\"size is large\"| s1",
        "    s4 -->|\"#lt;granted#gt;\"| s5",
        "    s4 -.->|\"after 2 days\"| s5",
        "    s6([\"done\"])",
    ] {
        assert!(
            drawn.lines().any(|drawn| drawn == line),
            "{line} in\n{drawn}"
        );
    }
    let opened = drawn.matches("subgraph").count();
    assert_eq!(
        opened,
        drawn.lines().filter(|line| line.trim() == "end").count()
    );
}

#[test]
fn graphviz_has_clusters_and_escaped_labels() {
    let drawn = order("en").to_dot();
    for line in [
        "    s1 [label=\"Parts & \\\"permit\\\"\"];",
        "    subgraph cluster_4 {",
        "    s0 [label=\"sort\", shape=diamond, style=solid];",
        "    s4 -> s5 [label=\"after 2 days\", style=dashed];",
    ] {
        assert!(
            drawn.lines().any(|drawn| drawn == line),
            "{line} in\n{drawn}"
        );
    }
    assert_eq!(drawn.matches('{').count(), drawn.matches('}').count());
}
