//! The headers that are added, marked and stripped.

use padclock_job::{Anchor, Definition, Job, Kind, Moment};
use padclock_template::{Found, RequestSpec, SecretRef, Secrets};

use super::*;
use crate::testing::lease_of;

struct One(Value);

impl Secrets for One {
    fn get(&self, _: &SecretRef) -> Found<'_> {
        Found::Value(&self.0)
    }
}

fn outgoing(change: impl FnOnce(&mut RequestSpec)) -> Outgoing {
    let mut spec = RequestSpec::get("https://api.test/x?q={{secret.KEY}}");
    change(&mut spec);
    let mut definition = Definition::new("job", Kind::Manual);
    definition.request = Some(spec);
    let job = Job::compile(
        definition,
        &Anchor {
            job_id: "cj_x",
            created_at: Moment::EPOCH,
        },
    )
    .unwrap();
    let lease = lease_of(job);
    let texts = Texts::of(&lease);
    let secrets = One(Value::new(b"value-of-key".to_vec()));
    let rendered = lease
        .job
        .request()
        .unwrap()
        .render(&texts.variables(&lease, lease.now), &secrets)
        .unwrap();
    Outgoing::new(rendered, &texts, true).unwrap()
}

#[test]
fn headers_with_secrets_are_sensitive_and_do_not_print() {
    let sent = outgoing(|spec| {
        spec.headers
            .insert("X-Key".to_owned(), "{{secret.KEY}}".to_owned());
        spec.headers
            .insert("X-Plain".to_owned(), "plain".to_owned());
    });
    assert!(sent.headers["x-key"].is_sensitive());
    assert!(!sent.headers["x-plain"].is_sensitive());
    assert!(!format!("{:?}", sent.headers).contains("value-of-key"));
}

#[test]
fn stripping_leaves_what_is_not_secret() {
    let mut sent = outgoing(|spec| {
        spec.headers
            .insert("X-Key".to_owned(), "{{secret.KEY}}".to_owned());
        spec.headers.insert("Cookie".to_owned(), "a=b".to_owned());
        spec.headers
            .insert("Authorization".to_owned(), "Basic literal".to_owned());
        spec.headers
            .insert("X-Plain".to_owned(), "plain".to_owned());
    });
    sent.strip_secrets();
    for gone in ["x-key", "cookie", "authorization"] {
        assert!(!sent.headers.contains_key(gone), "{gone}");
    }
    for kept in [
        "x-plain",
        "idempotency-key",
        "user-agent",
        "x-cron-service-job-id",
    ] {
        assert!(sent.headers.contains_key(kept), "{kept}");
    }
}

#[test]
fn the_request_is_what_was_rendered() {
    let request = outgoing(|spec| spec.method = "delete".to_owned()).into_request();
    assert_eq!(request.method(), Method::DELETE);
    assert_eq!(
        request.uri().to_string(),
        "https://api.test/x?q=value-of-key"
    );
    assert_eq!(request.headers()["x-cron-service-attempt"], "1");
}
