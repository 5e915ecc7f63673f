//! The desk: its people, its workflows, its tokens, and the daemon's settings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Scale;
use super::peers::Peers;
use crate::token;

/// How many members a team has, beside its lead.
const MEMBERS: usize = 4;

/// Tokens that see everything; several, because of the limit on requests of one.
pub(super) const EYES: usize = 16;

/// `SPAN`, `LONG` and `LAPSE` are spans, `K` is the number of the team.
const CALL: &str = "
workflow: call-K
start: asked
fields:
  caller: { type: contact, label: Caller }
  problem: { type: paragraph, label: Problem }
  answer: { type: paragraph, label: Answer }
ladders:
  climb:
    - { after: SPAN, assign: another in team-K }
    - { after: SPAN, assign: lead of team-K, notify: [manager of team-K] }
  quiet:
    - { after: LONG, notify: [assignee] }
    - { after: SPAN, assign: lead of team-K }
states:
  asked:
    assign: least busy in team-K
    escalate: climb
    form: [caller, problem]
    actions: { accept: { goto: working } }
    after: { LAPSE: lapsed }
  working:
    assign: who did accept
    escalate: quiet
    form: [answer]
    actions:
      ask: { goto: waiting }
      pass-on: { goto: asked }
      resolve: { goto: resolved, requires: answer }
  waiting:
    notify: [caller]
    actions: { answered: { by: [caller, assignee], goto: working } }
    after: { LAPSE: lapsed }
  resolved:
    notify: [caller]
    after: { SPAN: closed }
  closed: { end: done, by-silence: allowed }
  lapsed: { end: lapsed, by-silence: allowed }
";

const OFFER: &str = "
workflow: offer-K
start: offered
fields:
  caller: { type: contact, label: Caller }
  problem: { type: paragraph, label: Problem }
ladders:
  nobody: [{ after: SPAN, assign: lead of team-K }]
states:
  offered:
    assign: anyone in team-K
    escalate: nobody
    form: [caller, problem]
    actions: { resolve: { goto: closed } }
    after: { LAPSE: lapsed }
  closed: { end: done }
  lapsed: { end: lapsed, by-silence: allowed }
";

/// Writes all files of a daemon that listens there; the one of its settings.
pub(super) fn write(folder: &Path, scale: &Scale, peers: &Peers, listen: u16) -> PathBuf {
    let workflows = folder.join("workflows");
    std::fs::create_dir_all(&workflows).expect("a folder");
    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");
    for team in 0..scale.teams {
        for (name, text) in [("call", CALL), ("offer", OFFER)] {
            let text = text
                .replace('K', &team.to_string())
                .replace("SPAN", &format!("{} s", scale.span))
                .replace("LONG", &format!("{} s", 3 * scale.span))
                .replace("LAPSE", &format!("{} s", scale.lapse));
            write(&workflows.join(format!("{name}-{team}.yaml")), &text);
        }
    }
    let (directory, tokens) = people(scale.teams, peers.hooks.len());
    write(&workflows.join("desk.yaml"), &directory);
    write(&folder.join("tokens.toml"), &tokens);
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    write(&folder.join("peers.secret"), secret);
    let settings = folder.join("upline.toml");
    write(&settings, &all_settings(peers, listen));
    settings
}

/// The directory, and the tokens of everybody in it.
fn people(teams: usize, hooks: usize) -> (String, String) {
    let mut tokens = token("pbx", "integration", "") + &token("boss", "lead", "boss");
    for eye in 0..EYES {
        tokens += &token(&format!("eye{eye}"), "reader", "");
    }
    let (mut people, mut groups) = (String::new(), String::new());
    let mut number = 0;
    let mut person = |id: &str, role: &str| {
        tokens += &token(id, role, id);
        let language = if number % 2 == 0 { "en" } else { "zh" };
        let hook = format!("webhook: peer-{}", number % hooks);
        // One in three by mail alone, the others by both, in either order.
        let ways = match number % 3 {
            0 => "{ mail: now }".to_owned(),
            1 => format!("{{ mail: now }}, {{ {hook}, after: 1 s, unless: acted }}"),
            _ => format!("{{ {hook} }}, {{ mail: 1 s, unless: acted }}"),
        };
        number += 1;
        let _ = writeln!(
            people,
            "  {id}: {{ name: Agent {id}, mail: {id}@example.com, languages: [{language}], notify: [{ways}] }}"
        );
    };
    for team in 0..teams {
        let members: Vec<String> = (0..MEMBERS).map(|one| format!("t{team}-{one}")).collect();
        for id in &members {
            person(id, "agent");
        }
        person(&format!("l{team}"), "lead");
        let _ = writeln!(
            groups,
            "  team-{team}: {{ members: [{}], lead: l{team}, manager: l{} }}",
            members.join(", "),
            (team + 1) % teams
        );
    }
    let directory = format!(
        "directory: soak\nlast-resort: user boss\npeople:\n  boss: {{ name: Boss, mail: boss@example.com }}\n\
         {people}groups:\n{groups}"
    );
    (directory, tokens)
}

fn all_settings(peers: &Peers, listen: u16) -> String {
    let mut settings = format!(
        "data = \"data\"\nworkflows = \"workflows\"\ntokens = \"tokens.toml\"\nlog = \"warn\"\n\
         listen = \"127.0.0.1:{listen}\"\npublic-url = \"https://tickets.example.com\"\n\n\
         [mail]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\ntimeout = \"2 s\"\n\
         from = \"Service Desk <desk@example.com>\"\n",
        peers.post.port
    );
    for (number, hook) in peers.hooks.iter().enumerate() {
        let _ = write!(
            settings,
            "\n[webhook.peer-{number}]\nurl = \"{}\"\nsecret = {{ file = \"peers.secret\" }}\n\
             allow-private = true\nlinks = true\ntimeout = \"2 s\"\n",
            hook.url()
        );
    }
    settings
}
