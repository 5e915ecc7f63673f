//! JSON Schemas of the files, for completion and help in editors.
//!
//! An editor finds a schema by a first line such as
//! `# yaml-language-server: $schema=workflow.json`. The schemas know the shape of a file only; what it means,
//! `check` knows.

/// Of a workflow.
pub const WORKFLOW: &str = include_str!("../schema/workflow.json");

/// Of a directory.
pub const DIRECTORY: &str = include_str!("../schema/directory.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// Calls `look` with every part of the schema that is a schema itself.
    fn walk<'a>(schema: &'a Value, look: &mut impl FnMut(&'a Value)) {
        look(schema);
        for (key, value) in schema.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("properties" | "$defs", Value::Object(inner)) => {
                    inner.values().for_each(|inner| walk(inner, look));
                }
                ("anyOf", Value::Array(inner)) => inner.iter().for_each(|inner| walk(inner, look)),
                ("items" | "additionalProperties", Value::Object(_)) => walk(value, look),
                _ => (),
            }
        }
    }

    fn schemas() -> [Value; 2] {
        [WORKFLOW, DIRECTORY].map(|text| serde_json::from_str(text).unwrap())
    }

    #[test]
    fn every_property_is_described_and_every_reference_known() {
        for schema in schemas() {
            walk(&schema, &mut |part| {
                if let Some(reference) = part["$ref"].as_str() {
                    let name = reference.strip_prefix("#/$defs/").unwrap();
                    assert!(schema["$defs"][name].is_object(), "{reference}");
                }
                for (key, value) in part["properties"].as_object().into_iter().flatten() {
                    let referred = value["$ref"].as_str().unwrap_or_default();
                    let referred =
                        &schema["$defs"][referred.rsplit('/').next().unwrap_or_default()];
                    let described = |value: &Value| value["description"].is_string();
                    assert!(
                        described(value) || described(referred),
                        "{key} has no description"
                    );
                }
            });
        }
    }

    /// The keys that the reader asks for are the keys of the schemas.
    #[test]
    fn the_schemas_know_the_keys_that_are_read() {
        let mut described = BTreeSet::new();
        let schemas = schemas();
        for schema in &schemas {
            walk(schema, &mut |part| {
                let properties = part["properties"].as_object().into_iter().flatten();
                described.extend(properties.map(|(key, _)| key.clone()));
            });
        }
        let mut read = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lower");
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for call in ["required(", "optional(", "required_time(", "optional_end("] {
                for rest in text.split(call).skip(1) {
                    let arguments = rest.split(')').next().unwrap_or_default();
                    let key = arguments.split('"').nth(1);
                    read.extend(key.map(str::to_owned));
                }
            }
        }
        assert_eq!(described, read);
    }
}
