//! From a seed to a plan.

use crate::authors::{self, ACTIONS, LEADS, MEMBERS, Office};
use crate::plan::{Act, By, Failure, How, Left, Mood, Plan, Setting, Step, TO_CALLER, Text};
use crate::random::Random;

/// Tries of an author whose files are not accepted.
const TRIES: usize = 6;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What can happen in a plan: each kind is missing in two of five plans, so that what it covers up is seen.
#[derive(Debug, Clone)]
struct Swarm {
    kill: bool,
    cut: bool,
    fail: bool,
    full: bool,
    damage: bool,
    clock: bool,
    peers: bool,
    people: bool,
    versions: bool,
    again: bool,
    asleep: bool,
    together: bool,
}

impl Swarm {
    fn new(random: &mut Random) -> Self {
        let mut on = || random.percent(60);
        Self {
            kill: on(),
            cut: on(),
            fail: on(),
            full: on(),
            damage: on(),
            clock: on(),
            peers: on(),
            people: on(),
            versions: on(),
            again: on(),
            asleep: on(),
            together: on(),
        }
    }
}

/// Makes the plan of a seed.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x7570_6c69_6e65);
    let swarm = Swarm::new(&mut random);
    let begin = 1_772_791_200_000 + i64::try_from(random.below(200 * 24)).unwrap_or(0) * HOUR;
    let office = Office::new(&mut random);
    let files = accepted(&mut random, &office, 1, begin);
    let mut names = vec!["call".to_owned()];
    if files.iter().any(|file| file.name == "inquiry.yaml") {
        names.push("inquiry".into());
    }
    let setting = Setting {
        segment_bytes: random.one(&[4 << 10, 16 << 10, 64 << 10, 256 << 10]),
        snapshot_commits: random.one(&[3, 10, 40, 1 << 20]),
        begin,
        lease: random.one(&[10, 60]),
        give_up: random.one(&[5, 60, 24 * 60]),
        at_once: random.one(&[4, 64]),
        files,
        workflows: names,
        people: MEMBERS
            .iter()
            .chain(&LEADS)
            .map(|person| (*person).to_owned())
            .collect(),
        actions: ACTIONS.iter().map(|action| (*action).to_owned()).collect(),
        keep_history: None,
    };
    let mut author = Author {
        random,
        swarm,
        setting,
        office,
        version: 1,
        wrong: false,
    };
    let count = author.random.between(20, 110);
    let mut steps = vec![author.open()];
    for _ in 0..count {
        author.next(&mut steps);
    }
    let mut plan = Plan {
        seed,
        setting: author.setting,
        steps,
    };
    old_history(&mut plan);
    plan
}

/// In some plans history is kept for a week or two only, and weeks go by. Drawn apart from all else, so that
/// everything else in the plan of a seed is as it was before there was such a rule.
fn old_history(plan: &mut Plan) {
    let mut random = Random::new(plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6b65_6570);
    if !random.percent(35) {
        return;
    }
    plan.setting.keep_history = Some(random.one(&[7, 7, 10, 14]));
    for _ in 0..random.between(3, 10) {
        let hours = i64::try_from(random.between(12, 120)).unwrap_or(12);
        let at = random.between(1, plan.steps.len() as u64);
        let pass = Step::Pass {
            millis: hours * HOUR,
            asleep: false,
        };
        plan.steps.insert(usize::try_from(at).unwrap_or(1), pass);
    }
}

/// Files that pass all checks.
fn accepted(random: &mut Random, office: &Office, version: u32, begin: i64) -> Vec<Text> {
    let directory = office.directory();
    for _ in 0..TRIES {
        let mut files = vec![directory.clone()];
        files.extend(authors::workflows(random, version));
        if is_fine(&files, begin) {
            return files;
        }
    }
    let mut files = vec![directory];
    files.extend(authors::plain(version));
    files
}

fn is_fine(files: &[Text], begin: i64) -> bool {
    let files = files
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_bytes()));
    upline_dsl::check(files, crate::oracle::instant(begin)).is_fine()
}

struct Author {
    random: Random,
    swarm: Swarm,
    setting: Setting,
    office: Office,
    version: u32,
    /// The clock on the wall is wrong.
    wrong: bool,
}

impl Author {
    fn next(&mut self, steps: &mut Vec<Step>) {
        let on = |on: bool, weight: u64| if on { weight } else { 0 };
        let swarm = &self.swarm;
        let weights = [
            9,
            26,
            on(swarm.again, 5),
            22,
            9,
            on(swarm.clock, 5),
            on(swarm.peers, 4),
            on(swarm.people, 4),
            on(swarm.versions, 2),
            on(swarm.kill, 5),
            on(swarm.cut, 5),
            on(swarm.fail, 5),
            on(swarm.full, 2),
            on(swarm.damage, 2),
            2,
            on(swarm.together, 4),
        ];
        let step = match self.random.weighted(&weights) {
            0 => self.open(),
            1 => self.act(),
            2 => self.again(),
            3 => self.pass(),
            4 => Step::PassToDue {
                more: self.random.one(&[0, 0, 0, -1, 1, 1_000, -1_000, 70_000]),
            },
            5 => self.clock(),
            6 => Step::Peers(self.random.one(&[
                Mood::Well,
                Mood::Temporary,
                Mood::Permanent,
                Mood::Never,
                Mood::Late,
                Mood::Twice,
                Mood::Mixed,
                Mood::Mixed,
            ])),
            7 => self.people(),
            8 => self.version(),
            9 => Step::Kill {
                operation: self.soon(),
            },
            10 => Step::Cut {
                operation: self.soon(),
                keep: self.left(),
            },
            11 => self.fail(),
            12 => return self.full(steps),
            13 => Step::Damage {
                back: usize::try_from(self.random.below(2)).unwrap_or(0),
                byte: self.random.number() >> 1,
            },
            14 => Step::Restart {
                keep: self.random.percent(50).then(|| self.left()),
            },
            _ => return self.race(steps),
        };
        steps.push(step);
    }

    fn soon(&mut self) -> u64 {
        let most = self.random.one(&[3, 12, 60]);
        self.random.below(most)
    }

    fn left(&mut self) -> Left {
        self.random
            .one(&[Left::Nothing, Left::Everything, Left::Half, Left::Torn])
    }

    fn how(&mut self) -> How {
        How {
            id: self.random.percent(80),
            expecting: self
                .random
                .percent(15)
                .then(|| self.random.one(&[0, 0, 0, 1, 2])),
            together: self.swarm.together && self.random.percent(25),
        }
    }

    fn person(&mut self) -> String {
        self.random.one(&self.setting.people)
    }

    fn open(&mut self) -> Step {
        Step::Open {
            workflow: self.random.one(&self.setting.workflows),
            by: match self.random.percent(80) {
                true => "max".into(),
                false => self.person(),
            },
            key: self
                .random
                .percent(15)
                .then(|| format!("K{}", self.random.below(3))),
            how: self.how(),
        }
    }

    fn act(&mut self) -> Step {
        let most = self.random.one(&[1, 2, 6]);
        let by = match self.random.below(20) {
            0..=9 => By::Holder,
            10..=15 => By::Candidate(usize::try_from(self.random.below(6)).unwrap_or(0)),
            16..=17 => By::Operator(self.random.one(&["lea", "max"]).to_owned()),
            _ => By::Person(self.person()),
        };
        let (ahead, action) = (self.ahead(), self.random.one(&self.setting.actions));
        let act = match self.random.below(32) {
            0..=8 => Act::Take("accept".into()),
            9..=10 => Act::Take("ask".into()),
            11..=12 => Act::Take(action),
            13..=14 => Act::Take("done".into()),
            15..=17 => Act::Claim,
            18..=19 => Act::Decline,
            20 => Act::Release,
            21 => Act::Delegate(self.person()),
            22 => Act::Reassign(self.person()),
            23 => Act::Escalate,
            24 => Act::Suspend(ahead, self.random.one(&[0, 0, 0, 1, 999_999])),
            25 => Act::Resume,
            26 => Act::Comment(self.random.one(&["still at it", TO_CALLER]).into()),
            27 => Act::Save("about".into(), format!("the tap {}", self.random.below(9))),
            28 => Act::Hold,
            29 => Act::AnswerBy(ahead),
            30 => Act::ChangeClock(ahead),
            _ => Act::Cancel,
        };
        Step::Do {
            ticket: usize::try_from(self.random.below(most)).unwrap_or(0),
            by,
            act,
            how: self.how(),
        }
    }

    /// Several want the same at the same moment.
    fn race(&mut self, steps: &mut Vec<Step>) {
        let count = self.random.between(2, 6);
        let act = self.random.one(&["accept", "done"]).to_owned();
        let claim = self.random.percent(60);
        for index in 0..count {
            steps.push(Step::Do {
                ticket: 0,
                by: By::Candidate(usize::try_from(index).unwrap_or(0)),
                act: match claim {
                    true => Act::Claim,
                    false => Act::Take(act.clone()),
                },
                how: How {
                    id: true,
                    expecting: None,
                    together: index + 1 < count,
                },
            });
        }
    }

    fn again(&mut self) -> Step {
        let most = self.random.one(&[1, 3, 30]);
        Step::Again {
            back: usize::try_from(self.random.below(most)).unwrap_or(0),
            other: self.random.percent(25),
            together: self.swarm.together && self.random.percent(30),
        }
    }

    fn ahead(&mut self) -> i64 {
        let unit = self.random.one(&[SECOND, MINUTE, HOUR, DAY]);
        unit * i64::try_from(self.random.between(1, 20)).unwrap_or(1)
    }

    fn pass(&mut self) -> Step {
        let millis = match self.random.below(10) {
            0..=2 => self.random.between(1, 60_000),
            3..=6 => self.random.between(1, 3_600_000),
            7..=8 => self.random.between(1, 86_400_000),
            _ => self.random.between(1, 864_000_000),
        };
        Step::Pass {
            millis: i64::try_from(millis).unwrap_or(SECOND),
            asleep: self.swarm.asleep && self.random.percent(20),
        }
    }

    fn clock(&mut self) -> Step {
        if self.wrong && self.random.percent(60) {
            self.wrong = false;
            return match self.random.percent(70) {
                true => Step::WallRight,
                false => Step::Believe,
            };
        }
        self.wrong = true;
        let sign = self.random.one(&[1, -1]);
        Step::Wall {
            millis: sign * self.random.one(&[SECOND, MINUTE, HOUR, DAY]),
        }
    }

    fn people(&mut self) -> Step {
        let begin = crate::oracle::instant(self.setting.begin);
        let text = match self.random.percent(35) {
            true => self.office.directory(),
            false => self.office.another_day(&mut self.random, begin),
        };
        Step::Deploy(vec![text])
    }

    fn version(&mut self) -> Step {
        self.version += 1;
        let texts = match self.setting.files.len() {
            2 => authors::workflows(&mut self.random, self.version)
                .into_iter()
                .take(1)
                .collect(),
            _ => authors::workflows(&mut self.random, self.version),
        };
        Step::Deploy(texts)
    }

    fn fail(&mut self) -> Step {
        if self.random.percent(15) {
            return Step::FailRead { read: self.soon() };
        }
        Step::Fail {
            operation: self.soon(),
            fault: self.random.one(&[
                Failure::Error,
                Failure::Part,
                Failure::Done,
                Failure::Full,
                Failure::FullInPart,
            ]),
        }
    }

    /// The disk is full for some steps.
    fn full(&mut self, steps: &mut Vec<Step>) {
        let spare = self.random.one(&[0, 600, 5_000, 40_000]);
        steps.push(Step::Full { spare });
        for _ in 0..self.random.between(1, 6) {
            let step = match self.random.below(4) {
                0 => self.open(),
                1 => self.act(),
                2 => self.pass(),
                _ => self.again(),
            };
            steps.push(step);
        }
        steps.push(Step::Free);
    }
}
