//! Messages of other systems, in their own words.

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::State;
use super::extract::{Body, Named, is_name};
use crate::problem::Problem;

/// `POST /v1/hooks/{source}`. No token of the API: each source proves itself in its own way.
pub(super) async fn take(
    Shared(state): Shared<State>,
    Named(source): Named<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    is_name("source", &source)?;
    let taken = state
        .sources()
        .take(state.handle(), &source, &headers, &body);
    let results = taken.await?;
    Ok(axum::Json(results).into_response())
}
