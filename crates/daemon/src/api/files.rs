//! Workflows and the directory: what holds, deploying others, and asking first whether they are right.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upline::Deployed;
use upline::core::Name;
use upline::dsl::render::Report;
use upline::dsl::{Severity, check as check_files};
use upline::record::File;

use super::State;
use super::extract::{Body, By, Json, Named, read};
use crate::folder::{FolderError, MAX_FILE_NAME, is_file_name};
use crate::held::HeldFile;
use crate::limits::MAX_FILES;
use crate::problem::Problem;
use crate::tokens::{Caller, Role};

/// `GET /v1/files`: those that were deployed last, by their names.
pub(super) async fn list(
    Shared(state): Shared<State>,
    By(caller): By,
) -> Result<Response, Problem> {
    sees(&caller)?;
    let files = held(&state)?;
    let files: Vec<Listed<'_>> = files.iter().map(Listed::of).collect();
    Ok(axum::Json(json!({ "files": files })).into_response())
}

/// A file of the list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Listed<'a> {
    name: &'a str,
    /// What `If-Match` of `PUT` is given.
    etag: &'a str,
    bytes: usize,
    /// Whether it is the directory; else it is a workflow.
    directory: bool,
    /// The name of the workflow.
    workflow: Option<&'a str>,
    /// Its version.
    version: Option<u32>,
}

impl<'a> Listed<'a> {
    fn of(file: &'a HeldFile) -> Self {
        Self {
            name: &file.file.name,
            etag: &file.etag,
            bytes: file.file.text.len(),
            directory: file.workflow.is_none(),
            workflow: file.workflow.as_ref().map(|(name, _)| name.as_str()),
            version: file.workflow.as_ref().map(|(_, version)| *version),
        }
    }
}

/// `GET /v1/files/{name}`: the text, as its author wrote it.
pub(super) async fn show(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(name): Named<String>,
) -> Result<Response, Problem> {
    sees(&caller)?;
    let files = held(&state)?;
    let file = files.iter().find(|file| file.file.name == *name);
    let file = file.ok_or_else(|| {
        let detail = format!("no file `{name}` was deployed");
        Problem::new(StatusCode::NOT_FOUND, "no-such-file", detail)
            .hint("`GET /v1/files` lists those that were")
    })?;
    let mut response = file.file.text.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    if let Ok(etag) = HeaderValue::try_from(&file.etag) {
        headers.insert(ETAG, etag);
    }
    Ok(response)
}

/// Who may read the files: they have people's addresses in them.
fn sees(caller: &Caller) -> Result<(), Problem> {
    match caller.sees_all() {
        true => Ok(()),
        false => Err(Problem::forbidden(
            "only an admin, a lead or a reader sees the files",
        )),
    }
}

fn held(state: &State) -> Result<Arc<Vec<HeldFile>>, Problem> {
    state.files().get().ok_or_else(|| {
        let detail = "the files of the folder have not been right since the start, and what holds is \
                      from before it";
        Problem::unavailable("folder", detail, 30).hint("`/readyz` says what is wrong")
    })
}

/// `PUT /v1/files/{name}`: checked together with what holds, written into the folder, and in force from now
/// on. With a mistake nothing changes.
pub(super) async fn put(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    if caller.role != Role::Admin {
        return Err(Problem::forbidden("only an admin may deploy files"));
    }
    is_named(&name)?;
    let seen = seen(&headers)?;
    let text = String::from_utf8(body.into());
    let text = text.map_err(|_| Problem::bad("not-text", "the file must be text in UTF-8"))?;
    let file = File {
        name: Name::new(&name),
        text,
    };
    let etag = crate::held::etag(&file.text);
    // A caller who goes away leaves nothing half done.
    let deployed = tokio::spawn(deploy(state, file, seen)).await;
    let deployed = deployed.map_err(|_| broken_off())??;
    let peer = caller.from.map(tracing::field::display);
    tracing::info!(code = "deployed", file = %name, by = %caller.name, peer, "a file was deployed");
    let workflows = deployed.workflows.iter();
    let workflows: Vec<_> = workflows
        .map(|(name, version)| json!({ "name": name.as_str(), "version": version }))
        .collect();
    let answer = json!({ "workflows": workflows, "directory": deployed.directory });
    let mut response = axum::Json(answer).into_response();
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

fn is_named(name: &str) -> Result<(), Problem> {
    if is_file_name(name) {
        return Ok(());
    }
    let detail = format!(
        "a name is 1 to {MAX_FILE_NAME} lower-case letters, digits, `-` and `_`, and `.yaml`"
    );
    Err(Problem::unprocessable("name-wrong", detail))
}

/// The text that the caller has seen, if he says so; `*` is any.
fn seen(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(header) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or_default().trim();
    let is_one = text.len() > 2 && text.starts_with('"') && text.ends_with('"');
    match text {
        "*" => Ok(None),
        text if is_one && !text[1..text.len() - 1].contains('"') => Ok(Some(text.to_owned())),
        _ => {
            let detail = "`If-Match` must be one ETag of the file, or `*`";
            Err(Problem::bad("if-match-wrong", detail))
        }
    }
}

async fn deploy(state: State, file: File, seen: Option<String>) -> Result<Deployed, Problem> {
    let _alone = state.deploying().await;
    if let Some(seen) = seen {
        let files = held(&state)?;
        let known = files.iter().find(|known| known.file.name == file.name);
        if known.is_none_or(|known| known.etag != seen) {
            let detail = format!("`{}` is not what you have seen any more", file.name);
            let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail);
            return Err(problem
                .with("etag", known.map(|known| known.etag.clone()))
                .hint("read the file again: somebody has deployed another one since"));
        }
    }
    // It is on disk before it holds, so that what holds is what the next start reads.
    let (folder, written) = (state.folder().clone(), file.clone());
    let staged = tokio::task::spawn_blocking(move || folder.stage(&written)).await;
    let staged = staged.map_err(|_| broken_off())?.map_err(unwritten)?;
    let deployed = state
        .overrides()
        .deploy(state.handle(), vec![file.clone()])
        .await?;
    state.files().put(file);
    let kept = tokio::task::spawn_blocking(move || staged.keep()).await;
    kept.map_err(|_| broken_off())?.map_err(unwritten)?;
    Ok(deployed)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// Each in the place of the one that holds under its name.
    #[schemars(length(min = 1, max = MAX_FILES))]
    files: Vec<GivenFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GivenFile {
    /// As for `PUT`.
    name: String,
    /// YAML.
    text: String,
}

/// What is wrong with files.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Verdict<'a> {
    /// Whether they would hold: there is no error, whatever file it is in.
    fine: bool,
    /// Everything about the files that were given, and the errors of the others.
    diagnostics: Vec<Report<'a>>,
    /// How many more there were than are told.
    left_out: usize,
}

/// `POST /v1/workflows:check`: what would be wrong if these files were deployed. Nothing is.
pub(super) async fn check(
    Shared(state): Shared<State>,
    By(caller): By,
    Json(body): Json,
) -> Result<Response, Problem> {
    sees(&caller)?;
    let Given { files: given } = read(&body)?;
    if !(1..=MAX_FILES).contains(&given.len()) {
        let detail = format!("`files` must have 1 to {MAX_FILES} of them");
        return Err(Problem::unprocessable("body-wrong", detail));
    }
    for (at, file) in given.iter().enumerate() {
        is_named(&file.name)?;
        if given[..at].iter().any(|other| other.name == file.name) {
            let detail = format!("`{}` is given twice", file.name);
            return Err(Problem::unprocessable("body-wrong", detail));
        }
    }
    let known = held(&state)?;
    let now = state.handle().status().await?.now;
    // One at a time: to prove that no ticket is forgotten takes a while, and tickets come first.
    let _alone = state.files().checking().await;
    let verdict = tokio::task::spawn_blocking(move || {
        let is_given = |name: &str| given.iter().any(|file| file.name == name);
        let others = known.iter().map(|known| &known.file);
        let others = others.filter(|file| !is_given(&file.name));
        let others = others.map(|file| (file.name.as_str(), file.text.as_bytes()));
        let own = given
            .iter()
            .map(|file| (file.name.as_str(), file.text.as_bytes()));
        let all: Vec<(&str, &[u8])> = others.chain(own).collect();
        let checked = check_files(all, now);
        let told = checked.diagnostics.iter().filter(|one| {
            let file = checked.sources.name(one.primary.file);
            one.severity == Severity::Error || is_given(file)
        });
        let verdict = Verdict {
            fine: checked.is_fine(),
            diagnostics: told.map(|one| Report::new(&checked.sources, one)).collect(),
            left_out: checked.left_out,
        };
        axum::Json(verdict).into_response()
    });
    verdict.await.map_err(|_| broken_off())
}

fn broken_off() -> Problem {
    Problem::unavailable("stopped", "it was broken off", 5)
}

fn unwritten(error: FolderError) -> Problem {
    tracing::error!(code = "folder", error = %error, "the folder of workflows can't be written");
    let detail = "the folder of workflows can't be written; the log says why";
    Problem::unavailable("folder", detail, 30)
}
