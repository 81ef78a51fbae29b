//! The scanner's rules, asked about one field.

use padclock_scan::{Context as Field, scan_field};

use crate::secrets::{Context, Found};

/// What the scanner takes for credentials: the `find` that an import is given outside of tests.
#[must_use]
pub fn credentials(context: Context<'_>, text: &str) -> Vec<Found> {
    let name = context.name;
    let field = match context.field {
        _ if name.is_empty() => Field::Text,
        field if field.starts_with("request.headers.") => Field::Header(name),
        field if field.starts_with("request.query.") => Field::Query(name),
        field if field.starts_with("env.") || field.starts_with("request.body.") => {
            Field::Named(name)
        }
        _ => Field::Text,
    };
    let found = scan_field(field, text).into_iter();
    found
        .map(|finding| Found {
            span: finding.span,
            suggested_name: Some(finding.suggested_name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_prefixes_are_found_wherever_they_stand() {
        let key = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        for field in [
            "request.headers.X-A",
            "request.query.a",
            "request.body.a",
            "env.A",
            "description",
            "request.url",
        ] {
            let found = credentials(Context { field, name: "a" }, &format!("before {key} after"));
            assert_eq!(found.len(), 1, "{field}");
            assert_eq!(found[0].span, 7..7 + key.len(), "{field}");
        }
        assert!(
            credentials(
                Context {
                    field: "request.url",
                    name: ""
                },
                "/v1/charges"
            )
            .is_empty()
        );
    }
}
