//! The OpenAPI file, 3.1: made of the types that are read and written, and of a table of the routes.

mod codes;
mod paths;

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// What stands for the version of the API in the file.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The file.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// `GET /v1/openapi.json`; it is no secret.
pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// The document.
pub(crate) fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut types = Types(settings.into_generator());
    let mut paths: Map<String, Value> = Map::new();
    for operation in paths::all(&mut types) {
        let method = operation.method.to_lowercase();
        let methods = paths.entry(operation.path.clone());
        let methods = methods.or_insert_with(|| json!({}));
        methods[method.as_str()] = operation.value();
    }
    let mut schemas: Map<String, Value> = types.0.take_definitions(true);
    schemas.insert("Problem".into(), problem());
    schemas.insert("Event".into(), event());
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Upline",
            "version": VERSION,
            "summary": "Tickets that climb until somebody acts.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token that `upline token` has made, or that a login has given.",
            } },
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A refusal, as RFC 9457 has it. Some codes have more members.",
        "required": ["status", "title", "code", "detail"],
        "properties": {
            "status": { "type": "integer" },
            "title": { "type": "string" },
            "code": { "type": "string", "description": "A word that programs may rely on." },
            "detail": { "type": "string", "description": "For people; it may change." },
            "hint": { "type": "string", "description": "The way out, where one is known." },
        },
    })
}

fn event() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "description": "A CloudEvent 1.0.",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text,
            "source": { "type": "string", "format": "uri" },
            "type": { "enum": super::events::KINDS.as_slice() },
            "subject": { "type": "string", "description": "The ticket's id." },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "data": { "type": "object" },
        },
    })
}

/// The schemas that are met.
struct Types(SchemaGenerator);

impl Types {
    /// A reference to the schema of a type.
    fn of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    /// The members of a type, as parameters of a query.
    fn query<T: JsonSchema>(&mut self) -> Vec<Value> {
        let schema: Schema = T::json_schema(&mut self.0);
        let value = schema.to_value();
        let required = value["required"].as_array().cloned().unwrap_or_default();
        let members = value["properties"].as_object().cloned().unwrap_or_default();
        let parameter = |(name, mut schema): (String, Value)| {
            // In a query something is there or not: there is no null.
            if let Some(Value::Array(kinds)) = schema.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [kind] = &kinds[..] {
                    schema["type"] = kind.clone();
                }
            }
            if let Some(Value::Array(some)) = schema.get_mut("anyOf") {
                some.retain(|one| one["type"] != "null");
            }
            let description = schema["description"].take();
            if let Some(members) = schema.as_object_mut() {
                members.remove("description");
            }
            json!({
                "name": name,
                "in": "query",
                "required": required.contains(&name.as_str().into()),
                "description": description,
                "schema": schema,
            })
        };
        members.into_iter().map(parameter).collect()
    }
}

/// One route with one method.
struct Operation {
    method: &'static str,
    path: String,
    id: &'static str,
    summary: &'static str,
    is_open: bool,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
}

impl Operation {
    fn new(method: &'static str, path: &str, id: &'static str, summary: &'static str) -> Self {
        let parts = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = parts.map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": { "type": "string", "minLength": 1 },
                "example": match name {
                    "id" => "1",
                    "action" => "comment",
                    "message" => "call-ended",
                    "name" => "trouble-ticket.yaml",
                    "schedule" => "duty-officer",
                    _ => "x",
                },
            })
        });
        Self {
            method,
            path: path.to_owned(),
            id,
            summary,
            is_open: false,
            parameters: parameters.collect(),
            body: None,
            answers: Map::new(),
        }
        .refuses(503, codes::UNAVAILABLE)
    }

    /// Needs no token.
    fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Needs a token.
    fn token(self) -> Self {
        self.refuses(401, &["no-token"])
            .refuses(429, &["too-many-requests"])
    }

    fn query(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self.refuses(400, &["query-wrong", "path-wrong"])
    }

    fn header(mut self, name: &str, required: bool, description: &str) -> Self {
        self.parameters.push(json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": description,
            "schema": { "type": "string" },
        }));
        self
    }

    /// Takes JSON.
    fn json(mut self, schema: Value, required: bool) -> Self {
        self.body = Some(json!({
            "required": required,
            "content": { "application/json": { "schema": schema } },
        }));
        self.refuses(400, &["not-json", "body-broken", "path-wrong"])
            .refuses(413, &["too-large"])
            .refuses(415, &["not-json"])
            .refuses(422, &["body-wrong", "name-wrong"])
    }

    /// Takes something else.
    fn body(mut self, kind: &str) -> Self {
        let mut content = Map::new();
        content.insert(kind.to_owned(), json!({ "schema": { "type": "string" } }));
        self.body = Some(json!({ "required": true, "content": content }));
        self.refuses(400, &["body-broken", "not-text"])
            .refuses(413, &["too-large"])
    }

    fn answers(self, status: u16, description: &str, schema: Value) -> Self {
        self.answers_with(status, description, "application/json", schema)
    }

    fn answers_with(mut self, status: u16, description: &str, kind: &str, schema: Value) -> Self {
        let answer = self.answers.entry(status.to_string());
        let answer = answer.or_insert_with(|| json!({ "description": description, "content": {} }));
        answer["content"][kind] = json!({ "schema": schema });
        self
    }

    /// An answer without a body.
    fn answers_nothing(mut self, status: u16, description: &str) -> Self {
        let answer = json!({ "description": description });
        self.answers.insert(status.to_string(), answer);
        self
    }

    fn answer_header(mut self, status: u16, name: &str, description: &str) -> Self {
        let answer = &mut self.answers[&status.to_string()];
        answer["headers"][name] = json!({
            "description": description,
            "schema": { "type": "string" },
        });
        self
    }

    /// Problems of this status, with these codes.
    fn refuses(mut self, status: u16, codes: &[&str]) -> Self {
        let kind = "application/problem+json";
        let known = self.answers.entry(status.to_string()).or_insert_with(|| {
            let headers = match status {
                401 => json!({ "WWW-Authenticate": { "schema": { "const": "Bearer" } } }),
                429 | 503 => json!({ "Retry-After": {
                    "description": "Seconds.",
                    "schema": { "type": "integer", "minimum": 1 },
                } }),
                _ => json!({}),
            };
            json!({
                "description": "Refused; nothing has changed.",
                "headers": headers,
                "content": { kind: { "schema": { "allOf": [
                    { "$ref": "#/components/schemas/Problem" },
                    { "properties": { "code": { "enum": [] } } },
                ] } } },
            })
        });
        let all = &mut known["content"][kind]["schema"]["allOf"][1]["properties"]["code"]["enum"];
        if let Some(all) = all.as_array_mut() {
            let new = codes.iter().map(|code| Value::from(*code));
            let new: Vec<Value> = new.filter(|code| !all.contains(code)).collect();
            all.extend(new);
        }
        self
    }

    fn value(self) -> Value {
        let mut value = json!({
            "operationId": self.id,
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": self.answers,
            "security": match self.is_open {
                true => json!([]),
                false => json!([{ "token": [] }]),
            },
        });
        if let Some(body) = self.body {
            value["requestBody"] = body;
        }
        value
    }
}
