//! Messages of other systems, in their own words.

use axum::Extension;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::State;
use super::extract::{Body, Named, guessed, is_name};
use crate::problem::Problem;
use crate::server::Peer;

/// `POST /v1/hooks/{source}`. No token of the API: each source proves itself in its own way.
pub(super) async fn take(
    Shared(state): Shared<State>,
    Named(source): Named<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    is_name("source", &source)?;
    let from = peer.as_ref().map(|Extension(Peer(peer))| peer.ip());
    let from = state.rates().address(from, &headers);
    let taken = state
        .sources()
        .take(state.handle(), &source, from, (&headers, &body));
    let results = match taken.await {
        Err(problem) if problem.is_unproved() => {
            let peer = peer.as_ref().map(|Extension(peer)| peer);
            guessed(state.rates(), peer, &headers).await?;
            return Err(problem);
        }
        results => results?,
    };
    for one in results["results"].as_array().into_iter().flatten() {
        if let (Some(outcome), Some(ticket)) = (one["outcome"].as_str(), one["ticket"].as_str())
            && outcome != "known"
        {
            let peer = from.map(tracing::field::display);
            let origin = format!("source {source}");
            tracing::info!(
                code = "command",
                ticket,
                origin,
                outcome,
                peer,
                "a message was taken"
            );
        }
    }
    Ok(axum::Json(results).into_response())
}
