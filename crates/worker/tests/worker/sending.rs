//! What reaches the target: the headers that are added, and each secret at its place, byte for byte. And what stops an
//! attempt before anything is sent.

use std::sync::Arc;

use padclock_api::{AttemptStatus, UsedSecret};
use padclock_job::OnUnresolved;
use padclock_template::AuthSpec;
use padclock_vault::{EgressPolicy, Place};
use padclock_worker::End;
use serde_json::json;

use crate::support::target::{Reply, Target};
use crate::support::{Case, NOW, NeverOpened, code, everything, message};

/// A value with something in it for every encoder.
const VALUE: &str = "s3cr3t/va&lue=\"q\" +%41";

#[tokio::test]
async fn the_target_is_told_which_execution_it_is() {
    let mut target = Target::new(|_| Reply::ok("fine")).await;
    let mut case = Case::get(target.url("/run"));
    case.attempt = 2;
    let done = case.run().await;
    let seen = target.request().await;
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/run"));
    assert_eq!(seen.header("idempotency-key"), done.execution.to_string());
    assert_eq!(
        seen.header("x-cron-service-execution-id"),
        done.execution.to_string()
    );
    assert_eq!(
        seen.header("x-cron-service-job-id"),
        done.job_id.to_string()
    );
    assert_eq!(
        seen.header("x-cron-service-scheduled-for"),
        "2026-03-09T15:00:00Z"
    );
    assert_eq!(seen.header("x-cron-service-attempt"), "2");
    assert_eq!(
        seen.header("user-agent"),
        format!("padclock/{}", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(seen.header("host"), target.address.to_string());
    assert_eq!(seen.header("referer"), "");
    assert_eq!(done.end, End::Succeeded);
    assert_eq!(done.attempt.status, AttemptStatus::Succeeded);
    assert_eq!(done.attempt.number, 2);
    assert!(done.attempt.started_at >= NOW);
    let request = done.attempt.request.unwrap();
    assert_eq!(request.url, target.url("/run"));
    assert_eq!(
        request.headers["idempotency-key"],
        done.execution.to_string()
    );
    assert_eq!(done.attempt.response.unwrap().body.as_deref(), Some("fine"));
}

#[tokio::test]
async fn a_job_names_its_own_agent_but_not_another_execution() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let case = Case::get(target.url("/"))
        .header("User-Agent", "mine/1")
        .header("idempotency-key", "forged")
        .header("X-Cron-Service-Attempt", "99");
    let done = case.run().await;
    let seen = target.request().await;
    assert_eq!(seen.header("user-agent"), "mine/1");
    assert_eq!(seen.header("idempotency-key"), done.execution.to_string());
    assert_eq!(seen.header("x-cron-service-attempt"), "1");
    assert_eq!(
        seen.headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
            .count(),
        1
    );
}

#[tokio::test]
async fn secrets_arrive_at_each_place_as_they_are() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let mut case = Case::post(
        target.url("/hook/{{secret.KEY}}/x"),
        json!({"deep": [{"key": "<{{secret.KEY}}>"}]}),
    )
    .secret("KEY", VALUE)
    .header("X-Braces", "Token {{secret.KEY}}!")
    .header("X-Uri", "secret://KEY");
    case.request
        .query
        .insert("k".to_owned(), "{{secret.KEY}}".to_owned());
    case.request.auth = Some(AuthSpec::Basic {
        username: "user".to_owned(),
        password: "{{secret.KEY}}".to_owned(),
    });
    let done = case.run().await;
    let seen = target.request().await;
    let encoded = "s3cr3t%2Fva%26lue%3D%22q%22%20%2B%2541";
    assert_eq!(seen.path, format!("/hook/{encoded}/x?k={encoded}"));
    assert_eq!(seen.header("x-braces"), format!("Token {VALUE}!"));
    assert_eq!(seen.header("x-uri"), VALUE);
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["deep"][0]["key"], format!("<{VALUE}>"));
    let basic = seen.header("authorization");
    assert_eq!(basic, "Basic dXNlcjpzM2NyM3QvdmEmbHVlPSJxIiArJTQx");
    assert_eq!(done.end, End::Succeeded, "{:?}", done.attempt.error);
    assert_eq!(
        done.secrets,
        [UsedSecret {
            name: "KEY".to_owned(),
            version: 3
        }]
    );
    let record = everything(&done);
    for form in [
        VALUE,
        encoded,
        "s3cr3t",
        "dXNlcjpzM2NyM3QvdmEmbHVlPSJxIiArJTQx",
    ] {
        assert!(!record.contains(form), "{form} in {record}");
    }
    assert!(record.contains("[REDACTED:KEY]"));
}

#[tokio::test]
async fn a_text_body_keeps_every_byte_of_a_binary_value() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let value: Vec<u8> = (0..=255).collect();
    let case = Case::post(target.url("/"), "a{{secret.BIN}}z").secret("BIN", &value);
    let done = case
        .header("Content-Type", "application/octet-stream")
        .run()
        .await;
    assert_eq!(
        target.request().await.body,
        [b"a", &value[..], b"z"].concat()
    );
    assert_eq!(
        done.attempt.request.unwrap().body.as_deref(),
        Some("a[REDACTED:BIN]z")
    );
}

#[tokio::test]
async fn a_long_request_body_is_sent_whole_and_kept_in_part() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let body = format!("head{}tail", "x".repeat(200_000));
    let case = Case::post(target.url("/"), body.as_str()).header("Content-Type", "text/plain");
    let done = case.run().await;
    assert_eq!(target.request().await.body.len(), 200_008);
    let kept = done.attempt.request.unwrap().body.unwrap();
    assert!(
        kept.starts_with("head") && kept.ends_with("tail") && kept.len() < 66_000,
        "{}",
        kept.len()
    );
    assert!(kept.contains("bytes dropped"));
}

#[tokio::test]
async fn an_unknown_uri_reference_is_sent_as_it_stands_and_told() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let case = Case::get(target.url("/"))
        .header("Authorization", "Bearer secret://gone")
        .secret("other", "value-of-other");
    let done = case.run().await;
    assert_eq!(
        target.request().await.header("authorization"),
        "Bearer secret://gone"
    );
    assert_eq!(done.end, End::Succeeded);
    assert_eq!(done.unresolved, ["gone"]);
    assert!(
        done.warnings[0].contains("secret://gone"),
        "{:?}",
        done.warnings
    );
    assert_eq!(done.secrets, [], "what the job does not name is not opened");
}

#[tokio::test]
async fn a_job_may_refuse_to_send_it() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let mut case = Case::get(target.url("/")).header("Authorization", "Bearer secret://gone");
    case.definition.on_unresolved = OnUnresolved::Fail;
    let done = case.run().await;
    assert_eq!(code(&done), "secret_unresolved");
    assert!(message(&done).contains("gone"));
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn what_can_not_be_resolved_or_placed_stops_the_attempt_before_it_is_sent() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let url = target.url("/");
    let table = [
        (
            "secret_unresolved",
            "GONE",
            Case::get(&url).header("X-Key", "{{secret.GONE}}"),
        ),
        (
            "secret_unreadable",
            "SHUT",
            Case::get(&url)
                .header("X-Key", "{{secret.SHUT}}")
                .unreadable("SHUT"),
        ),
        (
            "secret_unreadable",
            "SHUT",
            Case::get(&url)
                .header("X-Key", "secret://SHUT")
                .unreadable("SHUT"),
        ),
        (
            "header_injection",
            "X-Key",
            Case::get(&url)
                .header("X-Key", "{{secret.LINES}}")
                .secret("LINES", "one\r\nX-Evil: 1"),
        ),
        (
            "header_injection",
            "X-Key",
            Case::get(&url)
                .header("X-Key", "secret://LINES")
                .secret("LINES", "one\0two"),
        ),
    ];
    for (expected, named, case) in table {
        let done = case.run().await;
        assert_eq!(code(&done), expected);
        assert_eq!(
            done.end,
            End::Failed {
                reason: expected.to_owned()
            },
            "not retried"
        );
        assert!(message(&done).contains(named), "{}", message(&done));
        assert_eq!(done.attempt.request, None);
        assert!(!everything(&done).contains("Evil"));
    }
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}

fn policy(change: impl FnOnce(&mut EgressPolicy)) -> Option<EgressPolicy> {
    let mut policy = EgressPolicy {
        schemes: vec!["http".to_owned()],
        ..EgressPolicy::default()
    };
    change(&mut policy);
    Some(policy)
}

#[tokio::test]
async fn a_policy_refuses_before_anything_is_opened() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let url = target.url("/v2/x");
    let policies = [
        policy(|policy| policy.hosts = vec!["api.example.com".to_owned()]),
        policy(|policy| policy.schemes = vec!["https".to_owned()]),
        policy(|policy| policy.ports = vec![443]),
        policy(|policy| policy.methods = vec!["POST".to_owned()]),
        policy(|policy| policy.path_prefixes = vec!["/v1".to_owned()]),
        policy(|policy| policy.places = vec![Place::Body]),
    ];
    for policy in policies {
        let case =
            Case::get(&url)
                .header("X-Key", "{{secret.KEY}}")
                .bound("KEY", VALUE, policy.clone());
        let done = case.run_with(Arc::new(NeverOpened)).await;
        assert_eq!(code(&done), "egress_refused", "{policy:?}");
        assert_eq!(
            done.end,
            End::Failed {
                reason: "egress_refused".to_owned()
            },
            "not retried"
        );
        assert!(
            message(&done).contains("KEY") && message(&done).contains("127.0.0.1"),
            "{}",
            message(&done)
        );
        assert_eq!(done.secrets, []);
        let refused = done.refused.unwrap();
        let names: Vec<_> = refused
            .secrets
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!((names, refused.host.as_str()), (vec!["KEY"], "127.0.0.1"));
    }
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn every_secret_that_is_held_back_is_named() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let elsewhere = EgressPolicy {
        hosts: vec!["api.example.com".to_owned()],
        ..EgressPolicy::default()
    };
    let case = Case::get(target.url("/"))
        .header("X-One", "{{secret.ONE}}")
        .header("X-Two", "{{secret.TWO}} {{secret.FREE}}")
        .bound("ONE", VALUE, Some(elsewhere.clone()))
        .bound("TWO", VALUE, Some(elsewhere))
        .secret("FREE", VALUE);
    let done = case.run_with(Arc::new(NeverOpened)).await;
    assert_eq!(code(&done), "egress_refused");
    let refused = done.refused.unwrap();
    let names: Vec<_> = refused
        .secrets
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["ONE", "TWO"]);
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}

/// What a secret's own value does to the path shows when it is rendered, and is checked before anything is sent.
#[tokio::test]
async fn a_path_that_a_value_leads_out_of_its_prefix_is_refused() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let below = EgressPolicy {
        schemes: vec!["http".to_owned()],
        path_prefixes: vec!["/v1".to_owned()],
        ..EgressPolicy::default()
    };
    for (value, expected) in [("../../admin", "egress_refused"), ("a/b", "")] {
        let case = Case::get(target.url("/v1/{{secret.MINE}}/x"))
            .header("X-Key", "{{secret.KEY}}")
            .bound("KEY", VALUE, Some(below.clone()))
            .secret("MINE", value);
        let done = case.run().await;
        assert_eq!(code(&done), expected, "{}", message(&done));
        assert_eq!(target.seen.try_recv().is_ok(), expected.is_empty());
    }
}

#[tokio::test]
async fn secrets_of_more_than_a_mebibyte_together_are_not_sent() {
    const HALF: usize = 512 * 1024;
    for (second, expected) in [(HALF, ""), (HALF + 1, "secrets_too_large")] {
        let mut target = Target::new(|_| Reply::ok("")).await;
        let case = Case::post(target.url("/"), "{{secret.ONE}}{{secret.TWO}}")
            .secret("ONE", "1".repeat(HALF))
            .secret("TWO", "2".repeat(second));
        let done = case.run().await;
        assert_eq!(code(&done), expected, "{}", message(&done));
        assert_eq!(done.secrets.len(), 2, "both were opened");
        assert_eq!(done.refused, None);
        assert_eq!(target.seen.try_recv().is_ok(), expected.is_empty());
        if !expected.is_empty() {
            let reason = expected.to_owned();
            assert_eq!(done.end, End::Failed { reason }, "not retried");
        }
    }
}

#[tokio::test]
async fn a_policy_that_agrees_lets_the_secret_go() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let allowed = policy(|policy| {
        policy.hosts = vec!["127.0.0.1".to_owned()];
        policy.path_prefixes = vec!["/v1".to_owned()];
        policy.places = vec![Place::Header];
    });
    let case = Case::get(target.url("/v1/x"))
        .header("X-Key", "{{secret.KEY}}")
        .bound("KEY", VALUE, allowed);
    assert_eq!(case.run().await.end, End::Succeeded);
    assert_eq!(target.request().await.header("x-key"), VALUE);
}

#[tokio::test]
async fn variables_are_filled_in() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let body = "{{now}} {{now_unix}} [{{last_run}}] {{job_name}} {{job_id}} {{execution_id}} {{scheduled_for}} {{attempt}} {{environment}} {{workspace}} {{env.REGION}}";
    let mut case = Case::post(target.url("/"), body).header("Content-Type", "text/plain");
    case.definition
        .env
        .insert("REGION".to_owned(), "north".to_owned());
    let done = case.run().await;
    let now = "2026-03-09T15:00:00Z";
    let expected = format!(
        "{now} 1773068400 [] nightly {} {} {now} 1 production team north",
        done.job_id, done.execution
    );
    assert_eq!(
        String::from_utf8(target.request().await.body).unwrap(),
        expected
    );
}
