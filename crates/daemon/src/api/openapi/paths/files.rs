//! Workflows and the directory.

use serde_json::json;

use super::super::{Operation, Types};
use crate::api::files;

pub(super) fn all(types: &mut Types) -> [Operation; 4] {
    let path = "/v1/files/{name}";
    let one = types.of::<files::Listed<'_>>();
    let listed = json!({
        "type": "object",
        "required": ["files"],
        "properties": { "files": { "type": "array", "items": one } },
    });
    let mapping = json!({ "type": "object" });
    let report = json!({
        "type": "object",
        "required": ["code", "severity", "message", "file", "line", "column", "start", "end"],
    });
    let verdict = json!({
        "type": "object",
        "required": ["fine", "diagnostics", "left-out"],
        "properties": {
            "fine": { "type": "boolean" },
            "diagnostics": { "type": "array", "items": report },
            "left-out": { "type": "integer", "minimum": 0 },
        },
    });
    let deployed = json!({ "type": "object", "required": ["workflows", "directory"] });
    let etag = "What the text is known by.";
    let list = "The workflows and the directory that hold";
    let show = "The text of one of them";
    let put = "Deploys a workflow or the directory";
    let check = "What would be wrong with files, of which none is deployed";
    [
        Operation::new("GET", "/v1/files", "listFiles", list).answers(200, "All of them.", listed),
        Operation::new("GET", path, "showFile", show)
            .query(Vec::new())
            // Of YAML, a schema is about what it says: each file is a mapping.
            .answers_with(200, "As its author wrote it.", "application/yaml", mapping)
            .answer_header(200, "ETag", etag)
            .refuses(404, &["no-such-file"]),
        Operation::new("PUT", path, "putFile", put)
            .header(
                "If-Match",
                false,
                "The ETag of the text that was seen, or `*`.",
            )
            .body("text/plain")
            .answers(200, "It holds from now on.", deployed)
            .answer_header(200, "ETag", etag)
            .refuses(400, &["path-wrong", "if-match-wrong"])
            .refuses(409, &["same-version"])
            .refuses(412, &["changed"])
            .refuses(422, &["name-wrong", "files-wrong"]),
        Operation::new("POST", "/v1/workflows:check", "checkFiles", check)
            .json(types.of::<files::Given>(), true)
            .answers(200, "What is wrong with them.", verdict),
    ]
    .map(|one| one.token().refuses(403, &["not-allowed"]))
}
