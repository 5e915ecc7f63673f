//! `upline notify`.

mod sample;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use upline_core::{Directory, Name, Ticket, Workflow};
use upline_daemon::alarms::Alarms;
use upline_daemon::folder::Folder;
use upline_daemon::settings::Settings;
use upline_daemon::tell::{
    About, Language, Letters, MailSettings, NoRecipient, Preview, TemplateFault, shipped_templates,
    try_mail, try_webhook,
};
use upline_dsl::{did_you_mean, shown};

use super::look::{Look, When};
use super::serve;
use super::server::At;
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::output::Output;
use crate::sets::{self, DirectoryArg};

/// See what people are told, and whether it reaches them
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Preview(Box<PreviewArgs>),
    Templates(TemplatesArgs),
    Test(TestArgs),
}

/// Print a letter as it would be sent, about a ticket of a data folder, a made-up one, or one of a service
///
/// FOLDER and TICKET name a ticket of a data folder that no engine has open; `--workflow` a file, of which a
/// ticket is made up; `--ticket` alone asks the running service, with its own templates.
#[derive(clap::Args)]
struct PreviewArgs {
    /// What it is about
    #[arg(value_enum)]
    topic: TopicArg,
    /// The data folder, which no engine has open, or a backup
    #[arg(requires = "ticket", conflicts_with = "workflow")]
    folder: Option<PathBuf>,
    /// The ticket
    #[arg(requires = "folder")]
    ticket: Option<String>,
    /// The file of a workflow: a ticket is made up
    #[arg(long, value_name = "FILE", required_unless_present_any = ["folder", "of_service"])]
    workflow: Option<PathBuf>,
    /// A ticket of the running service
    #[arg(
        long = "ticket",
        value_name = "ID",
        conflicts_with_all = ["folder", "workflow", "directory", "templates"]
    )]
    of_service: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    directory: DirectoryArg,
    /// To whom [default: whoever is answerable]
    #[arg(long, value_name = "PERSON")]
    person: Option<Name>,
    /// The language: en, zh [default: the person's]
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// The folder of templates that take the place of those shipped
    #[arg(long, value_name = "FOLDER")]
    templates: Option<PathBuf>,
    /// Print the HTML alone
    #[arg(long)]
    html: bool,
}

/// Print the names of the shipped templates, or one of them
#[derive(clap::Args)]
struct TemplatesArgs {
    /// Which
    name: Option<String>,
}

/// Send a test to a person, or to a webhook, and say whether it was taken
///
/// With `--server`, or with UPLINE_SERVER and no `--config`, the running service sends it, by each of the
/// person's channels, and the token must be an admin's. Else this program sends one mail, or one message to
/// the webhook, with the settings of `upline serve`, and no service need run.
#[derive(clap::Args)]
struct TestArgs {
    /// The person of the directory, or webhook:NAME
    #[arg(value_name = "PERSON")]
    person: Name,
    /// The file of settings, in TOML; or UPLINE_CONFIG
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    config: Option<PathBuf>,
    /// By this channel alone, `mail` or `webhook:NAME`; of a running service
    #[arg(long, value_name = "CHANNEL")]
    via: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    lang: Lang,
}

/// What a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TopicArg {
    /// He has it
    Assigned,
    /// He may claim it
    Offered,
    /// A `notify`
    Informed,
    /// He still has it
    Reminded,
    /// A promise is about to be broken
    PromiseWarned,
    /// A promise is broken
    PromiseBreached,
    /// He was asked, and it has moved on
    Outcome,
    /// Somebody has said something about what he has
    Commented,
    /// To the caller
    Customer,
    /// To the caller: what was said to him
    Answered,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    match &args.command {
        Command::Preview(args) => preview(args, output),
        Command::Templates(args) => templates(args, output),
        Command::Test(args) => test(args, output),
    }
}

/// What a letter is written from.
struct Case {
    ticket: Ticket,
    workflow: Arc<Workflow>,
    directory: Arc<Directory>,
    now: Timestamp,
}

fn preview(args: &PreviewArgs, output: &mut Output) -> Result<Exit, Failure> {
    if let Some(ticket) = &args.of_service {
        return server::preview(args, ticket, output);
    }
    let case = case(args)?;
    let letters = Letters::new(Language::En, args.templates.clone(), Alarms::default());
    let faults = letters.reload();
    for fault in &faults {
        output.note(told(fault));
    }
    let language = args.lang.as_deref().map(language).transpose()?;
    let preview = Preview {
        ticket: &case.ticket,
        workflow: &case.workflow,
        directory: &case.directory,
        now: case.now,
    };
    let (about, person) = (args.topic.about(), args.person.as_ref());
    let letter = preview.letter(&letters, about, person, language);
    let (_, letter) = letter.map_err(|error| match &error {
        NoRecipient::NoContact => Failure::usage(error.to_string()),
        NoRecipient::NoPerson(name) => nobody(&case.directory, name),
    })?;
    let report = Report {
        language: letter.language.tag(),
        subject: &letter.subject,
        brief: &letter.brief,
        text: &letter.text,
        html: letter.html.as_deref(),
    };
    print(&report, args.html, output)?;
    Ok(match faults.is_empty() {
        true => Exit::Ok,
        false => Exit::Findings,
    })
}

fn language(tag: &str) -> Result<Language, Failure> {
    let none = || Failure::usage(format!("`--lang {tag}`: the languages are: en, zh"));
    Language::of_tag(tag).ok_or_else(none)
}

fn told(fault: &TemplateFault) -> String {
    let line = fault.line.map(|line| format!(":{line}"));
    let (file, line) = (shown(&fault.file), line.unwrap_or_default());
    format!(
        "error: {file}{line}: {}\n  help: {}",
        fault.message, fault.help
    )
}

#[derive(Serialize)]
struct Report<'a> {
    language: &'a str,
    subject: &'a str,
    brief: &'a str,
    text: &'a str,
    html: Option<&'a str>,
}

fn print(letter: &Report<'_>, html: bool, output: &mut Output) -> Result<(), Failure> {
    let shown_html = letter.html.unwrap_or_default();
    if output.is_json() {
        output.json(letter)?;
    } else if html {
        output.text(shown_html)?;
    } else {
        output.line(format!("Subject: {}", letter.subject))?;
        output.line(format!("Brief: {}\n", letter.brief))?;
        output.line(letter.text)?;
        output.text(shown_html)?;
    }
    Ok(())
}

fn case(args: &PreviewArgs) -> Result<Case, Failure> {
    if let (Some(folder), Some(ticket)) = (&args.folder, &args.ticket) {
        let mut look = Look::into(folder, upline_lab::render::Language::English)?;
        let found = look.find(ticket, &When::default())?;
        let workflow = look.folder.workflow(&found.ticket);
        let nobody = || Failure::not_found(format!("`{}` has no directory", shown(folder)));
        return Ok(Case {
            workflow: workflow.map_err(|error| look.failure(&error))?,
            directory: look.folder.directory().ok_or_else(nobody)?,
            now: look.folder.now(),
            ticket: found.ticket,
        });
    }
    let file = args.workflow.as_deref().unwrap_or(Path::new(""));
    let now = Timestamp::now();
    let setting = sets::setting(file, args.directory.directory.as_deref(), now)?;
    if let Some(person) = &args.person {
        known(&setting.directory, person)?;
    }
    let tag = args.lang.as_deref().unwrap_or("en");
    sample::case(&setting, args.person.as_ref(), tag, now)
}

impl TopicArg {
    fn about(self) -> About {
        match self {
            Self::Assigned => About::Assigned,
            Self::Offered => About::Offered,
            Self::Informed => About::Informed,
            Self::Reminded => About::Reminded,
            Self::PromiseWarned => About::PromiseWarned,
            Self::PromiseBreached => About::PromiseBreached,
            Self::Outcome => About::Outcome,
            Self::Commented => About::Commented,
            Self::Customer => About::Customer,
            Self::Answered => About::Answered,
        }
    }
}

fn known(directory: &Directory, person: &Name) -> Result<(), Failure> {
    match directory.people.contains_key(person) {
        true => Ok(()),
        false => Err(nobody(directory, person)),
    }
}

fn nobody(directory: &Directory, person: &Name) -> Failure {
    let failure = Failure::not_found(format!("there is no person `{person}` in the directory"));
    let near = did_you_mean(person, directory.people.keys().map(Name::as_str));
    match near {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure,
    }
}

fn templates(args: &TemplatesArgs, output: &mut Output) -> Result<Exit, Failure> {
    let all = shipped_templates();
    let Some(name) = &args.name else {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        if output.is_json() {
            output.json(&names)?;
        } else {
            for name in names {
                output.line(name)?;
            }
        }
        return Ok(Exit::Ok);
    };
    let found = all.iter().find(|(known, _)| known == name);
    let Some((_, text)) = found else {
        let near = did_you_mean(name, all.iter().map(|(name, _)| *name));
        let failure = Failure::not_found(format!("there is no template `{name}`"));
        return Err(match near {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`upline notify templates` prints all names"),
        });
    };
    if output.is_json() {
        output.json(&serde_json::json!({ "name": name, "text": text }))?;
    } else {
        output.text(text)?;
    }
    Ok(Exit::Ok)
}

fn test(args: &TestArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.config.is_none() && args.at.is_named() {
        return server::test(args, output);
    }
    if args.via.is_some() {
        let failure = Failure::usage("`--via` is for a test that a running service sends");
        return Err(failure.help("name the service by `--server` or UPLINE_SERVER"));
    }
    let settings = Settings::read(&serve::given_besides(args.config.as_deref())?);
    let settings = settings
        .map_err(|faults| Failure::usages(faults.into_iter().map(|fault| (fault, None))))?;
    if let Some(name) = args.person.strip_prefix("webhook:") {
        return test_webhook(name, &settings, &args.lang, output);
    }
    let Some(mail) = settings.mail else {
        let failure = Failure::usage("the settings have no section `[mail]`");
        return Err(failure.help("docs/telling.md says what belongs into it"));
    };
    let directory = directory(&settings.workflows.value)?;
    known(&directory, &args.person)?;
    let sent = send(&mail, &directory, &args.person)?;
    if output.is_json() {
        output.json(&serde_json::json!({ "person": args.person.as_str(), "sent-to": sent }))?;
    } else {
        let server = &mail.server;
        output.line(args.lang.pick(
            format!("the mail server `{server}` has taken a mail to {sent}"),
            format!("邮件服务器 `{server}` 已收下发给 {sent} 的邮件"),
        ))?;
    }
    Ok(Exit::Ok)
}

fn test_webhook(
    name: &str,
    settings: &Settings,
    lang: &Lang,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some(webhook) = settings.webhooks.get(name) else {
        let failure = Failure::usage(format!("the settings have no section `[webhook.{name}]`"));
        return Err(failure.help("docs/webhooks.md says what belongs into it"));
    };
    let language = settings.mail.as_ref().map(|mail| mail.language);
    let language = language.unwrap_or_default();
    let source = settings.public_url.value.url();
    let source = source.map_or("urn:upline", |url| url.as_str());
    let own = settings.listen.value;
    let sent = runtime()?.block_on(try_webhook(name, webhook, own, language, source));
    let host = sent.map_err(Failure::findings)?;
    if output.is_json() {
        output.json(&serde_json::json!({ "webhook": name, "sent-to": host }))?;
    } else {
        output.line(lang.pick(
            format!("`{host}` has taken a message"),
            format!("`{host}` 已收下一条消息"),
        ))?;
    }
    Ok(Exit::Ok)
}

/// The directory among the files of a folder.
fn directory(path: &Path) -> Result<Directory, Failure> {
    let files = Folder::new(path).read();
    let files = files.map_err(|error| Failure::not_found(error.to_string()))?;
    let files = files.iter();
    let files: Vec<(&str, &[u8])> = files
        .map(|file| (file.name.as_str(), file.text.as_bytes()))
        .collect();
    let checked = upline_dsl::check(files, Timestamp::now());
    let found = checked.directory.map(|read| read.value);
    found.ok_or_else(|| {
        let message = format!(
            "there is no directory without mistakes in `{}`",
            shown(path)
        );
        Failure::findings(message).found(checked.sources, checked.diagnostics)
    })
}

fn send(mail: &MailSettings, directory: &Directory, person: &Name) -> Result<String, Failure> {
    let letters = Letters::new(mail.language, None, Alarms::default());
    let person = directory.people.get(person);
    let language = letters.language_of(person);
    let person = person.cloned().unwrap_or_default();
    let sent = runtime()?.block_on(try_mail(mail, &person, language, Timestamp::now()));
    sent.map_err(Failure::findings)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| Failure::not_found(format!("cannot start: {error}")))
}
