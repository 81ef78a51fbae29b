//! Credentials in a job's literals (the security contract, "Finding plain-text secrets"): warned of, or refused where the workspace
//! asks for it. What is told names the field and the rule, and never repeats the text.

use padclock_api::{ErrorCode, ErrorDetail};
use padclock_job::{Definition, Warning};
use padclock_scan::InDocument;

use crate::failure::{Answer, Failure};

/// The code of warnings and refusals.
const CODE: &str = "plaintext_secret";

/// The credentials in a definition.
pub(crate) fn findings(definition: &Definition) -> Vec<InDocument> {
    serde_json::to_value(definition)
        .map(|document| padclock_scan::scan_document(&document))
        .unwrap_or_default()
}

/// What to tell of them.
pub(crate) fn warnings(definition: &Definition) -> Vec<Warning> {
    let warning = |one: InDocument| Warning {
        field: one.path(),
        code: CODE.to_owned(),
        message: message(&one),
    };
    findings(definition).into_iter().map(warning).collect()
}

/// Refuses a definition that holds one, if `refuse`.
pub(crate) fn check(definition: &Definition, refuse: bool) -> Answer<()> {
    if !refuse {
        return Ok(());
    }
    refused(details(definition))
}

/// Refuses definitions of which one holds one, if `refuse`: the field begins with `jobs[N]`, from 0.
pub(crate) fn check_all<'d>(
    definitions: impl Iterator<Item = &'d Definition>,
    refuse: bool,
) -> Answer<()> {
    if !refuse {
        return Ok(());
    }
    let of = |(at, definition): (usize, &Definition)| {
        details(definition).into_iter().map(move |one| ErrorDetail {
            field: format!("jobs[{at}].{}", one.field),
            ..one
        })
    };
    refused(definitions.enumerate().flat_map(of).collect())
}

fn details(definition: &Definition) -> Vec<ErrorDetail> {
    findings(definition)
        .iter()
        .map(|one| crate::failure::detail(&one.path(), CODE, message(one)))
        .collect()
}

fn refused(details: Vec<ErrorDetail>) -> Answer<()> {
    if details.is_empty() {
        return Ok(());
    }
    let message = "this workspace refuses credentials in plain text: store them as secrets and name these in their places";
    Err(Failure::new(ErrorCode::ValidationError, message).with(details))
}

fn message(one: &InDocument) -> String {
    let (rule, title, name) = (
        one.finding.rule,
        one.finding.title,
        &one.finding.suggested_name,
    );
    let path = one.path();
    let instead = if path.starts_with("request.headers.") {
        format!("write secret://{name} in its place")
    } else if let Some(variable) = path.strip_prefix("env.") {
        format!("write {{{{secret.{name}}}}} where {{{{env.{variable}}}}} stands")
    } else if path.starts_with("request.") {
        format!("write {{{{secret.{name}}}}} in its place")
    } else {
        "take it out here".to_owned()
    };
    format!(
        "looks like a credential in plain text ({title}, rule {rule}): store it with `cronctl secrets create --name {name}`, and {instead}"
    )
}

#[cfg(test)]
mod tests {
    use padclock_job::Kind;
    use padclock_template::{AuthSpec, RequestSpec};
    use serde_json::json;

    use super::*;

    fn definition() -> Definition {
        let token = ["sk_", "live_", "a1B2c3D4e5F6g7H8i9J0k1L2"].concat();
        let mut request = RequestSpec::get(format!("https://api.example.com/x?api_key={token}"));
        request
            .headers
            .insert("Authorization".to_owned(), format!("Bearer {token}"));
        request
            .headers
            .insert("X-Api-Key".to_owned(), "secret://good".to_owned());
        request
            .query
            .insert("token".to_owned(), "q9W8e7R6t5Y4".to_owned());
        request.body = Some(json!({"inner": [{"client_secret": "q9W8e7R6t5Y4"}], "note": "hello"}));
        request.auth = Some(AuthSpec::Basic {
            username: "ops".to_owned(),
            password: "tulip".to_owned(),
        });
        Definition {
            request: Some(request),
            env: [("DB_PASSWORD".to_owned(), "q9W8e7R6t5Y4".to_owned())].into(),
            ..Definition::new("report", Kind::Manual)
        }
    }

    #[test]
    fn each_place_is_told_by_its_path_and_no_text_is_repeated() {
        let warnings = warnings(&definition());
        let mut fields: Vec<&str> = warnings.iter().map(|one| one.field.as_str()).collect();
        fields.sort_unstable();
        let expected = [
            "env.DB_PASSWORD",
            "request.auth.basic.password",
            "request.body.inner[0].client_secret",
            "request.headers.Authorization",
            "request.query.token",
            "request.url",
        ];
        assert_eq!(fields, expected);
        for warning in warnings {
            let told = format!("{warning:?}");
            assert_eq!(warning.code, CODE);
            for text in ["a1B2c3", "q9W8e7", "tulip"] {
                assert!(!told.contains(text), "{told}");
            }
        }
    }

    #[test]
    fn what_to_write_instead_fits_the_place() {
        let of = |field: &str| {
            let all = warnings(&definition());
            all.into_iter()
                .find(|one| one.field == field)
                .map(|one| one.message)
                .unwrap()
        };
        assert!(of("request.headers.Authorization").contains("secret://stripe_secret_key"));
        assert!(of("env.DB_PASSWORD").contains("{{secret.db_password}}"));
    }

    #[test]
    fn they_are_refused_only_where_that_is_asked() {
        assert!(check(&definition(), false).is_ok());
        let refused = check(&definition(), true).unwrap_err();
        let body = refused.body("r");
        assert_eq!(
            (body.code, body.details.len()),
            (ErrorCode::ValidationError, 6)
        );
        assert!(body.details.iter().all(|one| one.code == CODE));
        let clean = Definition::new("clean", Kind::Manual);
        assert!(check(&clean, true).is_ok());
        let leaky = definition();
        assert!(check_all([&clean, &leaky].into_iter(), false).is_ok());
        assert!(check_all([&clean, &clean].into_iter(), true).is_ok());
        let refused = check_all([&clean, &leaky].into_iter(), true).unwrap_err();
        let details = refused.body("r").details;
        assert_eq!(details.len(), 6);
        let second = |one: &ErrorDetail| one.field.starts_with("jobs[1].");
        assert!(details.iter().all(second), "{details:?}");
    }
}
