//! Deploying workflows and the directory.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use upline::Deployed;
use upline::core::Name;
use upline::record::File;

use super::State;
use super::extract::{Body, By, Named};
use crate::folder::{FolderError, MAX_FILE_NAME, is_file_name};
use crate::problem::Problem;
use crate::tokens::Role;

/// `PUT /v1/files/{name}`: checked together with what holds, written into the folder, and in force from now
/// on. With a mistake nothing changes.
pub(super) async fn put(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(name): Named<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    if caller.role != Role::Admin {
        return Err(Problem::forbidden("only an admin may deploy files"));
    }
    if !is_file_name(&name) {
        let detail = format!(
            "a name is 1 to {MAX_FILE_NAME} lower-case letters, digits, `-` and `_`, and `.yaml`"
        );
        return Err(Problem::unprocessable("name-wrong", detail));
    }
    let text = String::from_utf8(body.into());
    let text = text.map_err(|_| Problem::bad("not-text", "the file must be text in UTF-8"))?;
    let file = File {
        name: Name::new(&name),
        text,
    };
    // A caller who goes away leaves nothing half done.
    let deployed = tokio::spawn(deploy(state, file)).await;
    let deployed = deployed.map_err(|_| broken_off())??;
    tracing::info!(code = "deployed", file = %name, by = %caller.name, "a file was deployed");
    let workflows = deployed.workflows.iter();
    let workflows: Vec<_> = workflows
        .map(|(name, version)| json!({ "name": name.as_str(), "version": version }))
        .collect();
    let answer = json!({ "workflows": workflows, "directory": deployed.directory });
    Ok(axum::Json(answer).into_response())
}

async fn deploy(state: State, file: File) -> Result<Deployed, Problem> {
    let _alone = state.deploying().await;
    // It is on disk before it holds, so that what holds is what the next start reads.
    let (folder, written) = (state.folder().clone(), file.clone());
    let staged = tokio::task::spawn_blocking(move || folder.stage(&written)).await;
    let staged = staged.map_err(|_| broken_off())?.map_err(unwritten)?;
    let deployed = state.overrides().deploy(state.handle(), vec![file]).await?;
    let kept = tokio::task::spawn_blocking(move || staged.keep()).await;
    kept.map_err(|_| broken_off())?.map_err(unwritten)?;
    Ok(deployed)
}

fn broken_off() -> Problem {
    Problem::unavailable("stopped", "it was broken off", 5)
}

fn unwritten(error: FolderError) -> Problem {
    tracing::error!(code = "folder", error = %error, "the folder of workflows can't be written");
    let detail = "the folder of workflows can't be written; the log says why";
    Problem::unavailable("folder", detail, 30)
}
