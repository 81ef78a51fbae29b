//! Access tokens on real sockets: how they are asked for, kept, dropped and hidden, and what is said when there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use padclock_api::{SecretId, WorkspaceId};
use padclock_template::{AuthSpec, ClientAuth, ClientCredentials};
use padclock_vault::{EgressPolicy, Place};
use padclock_worker::{Completion, End, Lease, Worker};

use crate::support::source::OneShot;
use crate::support::target::{Reply, Seen, Target};
use crate::support::{Case, NOW, NeverOpened, Values, code, everything, message, stored};

/// With signs that the form encoding changes.
const CLIENT: &str = "client secret/of+padclock:0123456789";
const CLIENT_ENCODED: &str = "client%20secret%2Fof%2Bpadclock%3A0123456789";

/// Grants numbered tokens for an hour.
async fn endpoint() -> Target {
    let granted = AtomicUsize::new(0);
    Target::new(move |_| {
        let number = granted.fetch_add(1, Ordering::SeqCst) + 1;
        grant(number)
    })
    .await
}

fn grant(number: usize) -> Reply {
    let body = format!(
        r#"{{"access_token": "{}", "token_type": "Bearer", "expires_in": 3600}}"#,
        token(number)
    );
    Reply::response(200, "Content-Type: application/json\r\n", body.as_bytes())
}

fn token(number: usize) -> String {
    format!("granted-token-number-{number}-ABCDEFGH")
}

/// Says back what it was sent.
fn echo(seen: &Seen) -> Reply {
    Reply::ok(format!("got {}", seen.header("authorization")))
}

fn credentials(case: &mut Case) -> &mut ClientCredentials {
    match &mut case.request.auth {
        Some(AuthSpec::Oauth2ClientCredentials(credentials)) => credentials,
        _ => unreachable!("the case asks for a token"),
    }
}

/// A GET of the target with a token of the endpoint.
fn case(target: &Target, endpoint: &Target) -> Case {
    let mut case = Case::get(target.url("/data")).secret("CLIENT", CLIENT);
    case.request.auth = Some(AuthSpec::Oauth2ClientCredentials(ClientCredentials {
        token_url: endpoint.url("/token?tenant=1"),
        client_id: "the client".to_owned(),
        client_secret: "{{secret.CLIENT}}".to_owned(),
        scope: None,
        audience: None,
        client_auth: ClientAuth::Basic,
    }));
    case
}

fn worker(case: &Case) -> Worker {
    let opener = Arc::new(Values(case.values.clone()));
    Worker::with_resolver(opener, case.settings.clone(), Arc::clone(&case.resolver)).unwrap()
}

async fn one(worker: &Worker, lease: Lease) -> Completion {
    OneShot::perform(worker, vec![lease]).await.remove(0)
}

/// All requests that have come.
fn all(target: &mut Target) -> Vec<Seen> {
    std::iter::from_fn(|| target.seen.try_recv().ok()).collect()
}

fn bearers(target: &mut Target) -> Vec<String> {
    let header = |seen: &Seen| seen.header("authorization");
    all(target).iter().map(header).collect()
}

/// Nothing of the credentials or of a token is in what is stored.
fn hides(done: &Completion) {
    let all = everything(done);
    for secret in [CLIENT, CLIENT_ENCODED, "granted-token-number"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let (mut target, mut endpoint) = (Target::new(echo).await, endpoint().await);
    let mut case = case(&target, &endpoint);
    credentials(&mut case).scope = Some("read write".to_owned());
    credentials(&mut case).audience = Some("https://api.example.com/".to_owned());
    let worker = worker(&case);
    for number in 1..=3 {
        let done = one(&worker, case.lease(number)).await;
        assert_eq!(done.end, End::Succeeded, "{}", message(&done));
        assert_eq!(stored(&done), "got Bearer [REDACTED:CLIENT]");
        let sent = &done.attempt.request.as_ref().unwrap().headers["authorization"];
        assert_eq!(sent, "Bearer [REDACTED:CLIENT]");
        assert_eq!(done.secrets[0].name, "CLIENT");
        hides(&done);
    }
    let bearer = format!("Bearer {}", token(1));
    assert_eq!(bearers(&mut target), [bearer.as_str(); 3]);

    let asked = all(&mut endpoint);
    assert_eq!(asked.len(), 1);
    let asked = &asked[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/token?tenant=1")
    );
    // `the%20client:client%20secret%2Fof%2Bpadclock%3A0123456789`
    let basic =
        "Basic dGhlJTIwY2xpZW50OmNsaWVudCUyMHNlY3JldCUyRm9mJTJCcGFkY2xvY2slM0EwMTIzNDU2Nzg5";
    assert_eq!(asked.header("authorization"), basic);
    assert_eq!(
        asked.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(asked.header("accept"), "application/json");
    let form = "grant_type=client_credentials&scope=read%20write&audience=https%3A%2F%2Fapi.example.com%2F";
    assert_eq!(asked.body, form.as_bytes());
    assert_eq!(
        (
            asked.header("idempotency-key"),
            asked.header("x-cron-service-job-id")
        ),
        (String::new(), String::new()),
        "the endpoint learns nothing of the execution"
    );
}

#[tokio::test]
async fn credentials_can_go_in_the_body() {
    let (target, mut endpoint) = (Target::new(echo).await, endpoint().await);
    let mut case = case(&target, &endpoint);
    credentials(&mut case).client_auth = ClientAuth::Post;
    let done = case.run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    hides(&done);
    let asked = endpoint.request().await;
    assert_eq!(asked.header("authorization"), "");
    let form = format!(
        "grant_type=client_credentials&client_id=the%20client&client_secret={CLIENT_ENCODED}"
    );
    assert_eq!(String::from_utf8(asked.body).unwrap(), form);
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let (mut target, endpoint) = (Target::new(echo).await, endpoint().await);
    let case = case(&target, &endpoint);
    let worker = worker(&case);
    for (number, after) in [(1, 0), (2, 3_500), (3, 3_571), (4, 3_572)] {
        let mut lease = case.lease(number);
        lease.now = NOW.plus_seconds(after);
        assert_eq!(one(&worker, lease).await.end, End::Succeeded);
    }
    let expected = [1, 1, 2, 2].map(|number| format!("Bearer {}", token(number)));
    assert_eq!(bearers(&mut target), expected);
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_replaced_once() {
    // Takes only the second token.
    let accepts = |seen: &Seen| {
        if seen.header("authorization").contains("number-2") {
            echo(seen)
        } else {
            Reply::response(401, "", seen.header("authorization").as_bytes())
        }
    };
    let (mut target, mut endpoint) = (Target::new(accepts).await, endpoint().await);
    let case = case(&target, &endpoint);
    let worker = worker(&case);

    // The first one is fresh: that it is refused is the answer.
    let done = one(&worker, case.lease(1)).await;
    assert_eq!(
        (code(&done), stored(&done)),
        ("status", "Bearer [REDACTED:CLIENT]")
    );
    assert_eq!(bearers(&mut target).len(), 1);
    hides(&done);

    // It was dropped, so that the next attempt asks again.
    let done = one(&worker, case.lease(2)).await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    assert_eq!(all(&mut endpoint).len(), 2);
}

#[tokio::test]
async fn one_fresh_token_and_no_more() {
    let refusing = Arc::new(AtomicUsize::new(usize::MAX));
    let from = Arc::clone(&refusing);
    let count = AtomicUsize::new(0);
    let answer = move |seen: &Seen| {
        if count.fetch_add(1, Ordering::SeqCst) >= from.load(Ordering::SeqCst) {
            Reply::response(401, "", seen.header("authorization").as_bytes())
        } else {
            echo(seen)
        }
    };
    let (mut target, mut endpoint) = (Target::new(answer).await, endpoint().await);
    let mut case = case(&target, &endpoint);
    case.request.method = "POST".to_owned();
    case.request.body = Some("the body".into());
    let worker = worker(&case);
    assert_eq!(one(&worker, case.lease(1)).await.end, End::Succeeded);
    refusing.store(0, Ordering::SeqCst);
    let done = one(&worker, case.lease(2)).await;
    assert_eq!(done.attempt.error.as_ref().unwrap().code, "status");
    assert!(
        matches!(done.end, End::Failed { .. }),
        "4xx are not tried again"
    );
    assert_eq!(stored(&done), "Bearer [REDACTED:CLIENT]");
    hides(&done);
    let seen = all(&mut target);
    let sent: Vec<_> = seen
        .iter()
        .map(|seen| seen.header("authorization"))
        .collect();
    assert_eq!(
        sent,
        [1, 1, 2].map(|number| format!("Bearer {}", token(number)))
    );
    assert!(seen.iter().all(|seen| seen.body == b"the body"));
    assert_eq!(all(&mut endpoint).len(), 2);
}

#[tokio::test]
async fn many_attempts_at_once_ask_once() {
    let (mut target, mut endpoint) = (Target::new(echo).await, endpoint().await);
    let case = case(&target, &endpoint);
    let leases = (1..=20).map(|number| case.lease(number)).collect();
    let done = OneShot::perform(&worker(&case), leases).await;
    assert!(done.iter().all(|done| done.end == End::Succeeded));
    assert_eq!(all(&mut endpoint).len(), 1);
    assert_eq!(
        bearers(&mut target),
        vec![format!("Bearer {}", token(1)); 20]
    );
}

#[tokio::test]
async fn other_secrets_versions_workspaces_and_words_have_tokens_of_their_own() {
    let (mut target, endpoint) = (Target::new(echo).await, endpoint().await);
    let case = case(&target, &endpoint);
    let worker = worker(&case);
    let base = case.lease(1);
    let with = |change: &dyn Fn(&mut Case)| {
        let mut other = self::case(&target, &endpoint);
        change(&mut other);
        other.lease(1)
    };
    let secrets = |change: &dyn Fn(&mut padclock_worker::SealedSecret)| {
        let mut lease = case.lease(1);
        let mut secrets = lease.secrets.to_vec();
        secrets.iter_mut().for_each(change);
        lease.secrets = secrets.into();
        lease
    };
    // What stands in for a secret where tokens are told apart, written out as if it were the credential.
    let stand_in = format!("{}.3", SecretId::from_bytes([9; 16]));
    let mut elsewhere = case.lease(1);
    elsewhere.workspace = WorkspaceId::from_bytes([4; 16]);
    let leases = [
        base,
        elsewhere,
        secrets(&|secret| secret.version = 4),
        secrets(&|secret| secret.secret = SecretId::from_bytes([8; 16])),
        with(&|case| credentials(case).scope = Some("more".to_owned())),
        with(&|case| credentials(case).client_auth = ClientAuth::Post),
        with(&|case| credentials(case).client_secret.clone_from(&stand_in)),
        case.lease(2),
    ];
    for lease in leases {
        assert_eq!(one(&worker, lease).await.end, End::Succeeded);
    }
    let expected = [1, 2, 3, 4, 5, 6, 7, 1].map(|number| format!("Bearer {}", token(number)));
    assert_eq!(bearers(&mut target), expected);
}

#[tokio::test]
async fn answers_without_a_token_say_why_and_hide_what_they_repeat() {
    let json = "Content-Type: application/json\r\n";
    let repeated = format!(r#"{{"error": "no such secret: {CLIENT} or {CLIENT_ENCODED}"}}"#);
    let long = format!(r#"{{"error": "{}{CLIENT}"}}"#, "x".repeat(60));
    // Status, header lines and body; whether it is tried again; what is said, and what is not.
    let table = [
        (
            400,
            json,
            r#"{"error": "invalid_client"}"#,
            false,
            "status 400 (invalid_client)",
        ),
        (401, json, repeated.as_str(), false, "[REDACTED:CLIENT]"),
        (400, json, long.as_str(), false, "xxx[RED"),
        (429, "Retry-After: 5\r\n", "slow down", true, "status 429"),
        (503, "", "<html>", true, "status 503"),
        (302, "Location: /elsewhere\r\n", "", false, "not followed"),
        (200, "", CLIENT, false, "RFC 6749"),
        (
            200,
            "",
            r#"{"access_token": "short"}"#,
            false,
            "less than 8 bytes",
        ),
    ];
    for (status, headers, body, again, said) in table {
        let mut target = Target::new(echo).await;
        let reply = crate::support::target::response(status, headers, body.as_bytes());
        let mut endpoint = Target::fixed(reply).await;
        let done = case(&target, &endpoint).run().await;
        assert_eq!(code(&done), "oauth2_token_failed", "{}", message(&done));
        assert!(message(&done).contains(said), "{said}: {}", message(&done));
        assert!(message(&done).contains("127.0.0.1") && message(&done).len() < 200);
        assert_eq!(
            matches!(done.end, End::Retry { .. }),
            again,
            "{status}: {:?}",
            done.end
        );
        assert_eq!(
            (&done.attempt.request, &done.attempt.response),
            (&None, &None)
        );
        assert_eq!(done.secrets[0].name, "CLIENT", "it was opened");
        hides(&done);
        assert!(
            target.seen.try_recv().is_err(),
            "nothing was sent to the target"
        );
        assert_eq!(all(&mut endpoint).len(), 1, "no redirect is followed");
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_is_tried_again() {
    let target = Target::new(echo).await;
    let mut case = case(&target, &target);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    credentials(&mut case).token_url = format!("http://{address}/token");
    let done = case.run().await;
    assert_eq!(code(&done), "oauth2_token_failed", "{}", message(&done));
    assert!(matches!(done.end, End::Retry { .. }), "{:?}", done.end);
}

#[tokio::test]
async fn an_endpoint_that_hangs_costs_no_more_than_the_jobs_time() {
    let (target, endpoint) = (
        Target::new(echo).await,
        Target::new(|_| Reply::Hang(Vec::new())).await,
    );
    let done = case(&target, &endpoint).timeout(1).run().await;
    assert_eq!(code(&done), "oauth2_token_failed", "{}", message(&done));
    assert!(message(&done).contains("time-out"), "{}", message(&done));
    assert!(matches!(done.end, End::Retry { .. }), "{:?}", done.end);
}

#[tokio::test]
async fn the_address_rules_hold_for_the_endpoint() {
    let target = Target::new(echo).await;
    for url in ["http://169.254.169.254/token", "http://10.0.0.1/token"] {
        let mut case = case(&target, &target);
        credentials(&mut case).token_url = url.to_owned();
        let done = case.run().await;
        assert_eq!(code(&done), "egress_address_refused", "{}", message(&done));
        assert!(matches!(done.end, End::Failed { .. }), "not tried again");
    }
}

fn only(port: u16, place: Option<Place>) -> Option<EgressPolicy> {
    Some(EgressPolicy {
        schemes: vec!["http".to_owned()],
        ports: vec![port],
        places: place.into_iter().collect(),
        ..EgressPolicy::default()
    })
}

/// The case with a policy for its client's secret, and a key in a header that may go to the target alone.
fn bound(target: &Target, endpoint: &Target, policy: Option<EgressPolicy>) -> Case {
    let mut case = case(target, endpoint).header("X-Key", "{{secret.KEY}}");
    for secret in &mut case.secrets {
        secret.policy.clone_from(&policy);
    }
    case.bound(
        "KEY",
        "the-targets-own-key",
        only(target.address.port(), None),
    )
}

#[tokio::test]
async fn the_clients_secret_may_go_to_the_endpoint_and_others_to_the_target() {
    let (mut target, endpoint) = (Target::new(echo).await, endpoint().await);
    let policy = only(endpoint.address.port(), Some(Place::Auth));
    let done = bound(&target, &endpoint, policy).run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    assert_eq!(
        target.request().await.header("x-key"),
        "the-targets-own-key"
    );
}

#[tokio::test]
async fn a_policy_that_does_not_allow_the_endpoint_refuses_before_anything_is_opened() {
    let (target, mut endpoint) = (Target::new(echo).await, endpoint().await);
    let policies = [
        only(target.address.port(), None),
        only(endpoint.address.port(), Some(Place::Header)),
        only(endpoint.address.port(), Some(Place::Body)),
    ];
    for policy in policies {
        let case = bound(&target, &endpoint, policy.clone());
        let done = case.run_with(Arc::new(NeverOpened)).await;
        assert_eq!(code(&done), "egress_refused", "{policy:?}");
        assert_eq!(done.refused.as_ref().unwrap().secrets[0].name, "CLIENT");
        assert_eq!(done.secrets, []);
    }
    assert!(endpoint.seen.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_kept_token_does_not_outlive_its_secrets_permission() {
    let (target, endpoint) = (Target::new(echo).await, endpoint().await);
    let case = case(&target, &endpoint);
    let worker = worker(&case);
    assert_eq!(one(&worker, case.lease(1)).await.end, End::Succeeded);
    let mut lease = case.lease(2);
    let mut secrets = lease.secrets.to_vec();
    for secret in &mut secrets {
        secret.policy = only(1, None);
    }
    lease.secrets = secrets.into();
    assert_eq!(code(&one(&worker, lease).await), "egress_refused");
}

#[tokio::test]
async fn a_missing_secret_stops_the_asking() {
    let (target, mut endpoint) = (Target::new(echo).await, endpoint().await);
    let mut case = case(&target, &endpoint);
    credentials(&mut case).client_secret = "{{secret.OTHER}}".to_owned();
    let done = case.run().await;
    assert_eq!(code(&done), "secret_unresolved", "{}", message(&done));
    assert!(endpoint.seen.try_recv().is_err());
}

#[tokio::test]
async fn a_token_goes_to_no_other_origin() {
    let mut other =
        Target::new(|seen| Reply::response(401, "", seen.header("authorization").as_bytes())).await;
    let location = format!("Location: {}\r\n", other.url("/there"));
    let target = Target::fixed(crate::support::target::response(302, &location, b"")).await;
    let mut endpoint = endpoint().await;
    let case = case(&target, &endpoint).follow();
    let worker = worker(&case);
    for number in 1..=2 {
        let done = one(&worker, case.lease(number)).await;
        assert_eq!(code(&done), "status", "{}", message(&done));
    }
    assert_eq!(bearers(&mut other), ["", ""]);
    assert_eq!(
        all(&mut endpoint).len(),
        1,
        "that origin says nothing about the token"
    );
}

#[tokio::test]
async fn credentials_that_are_written_out_are_hidden_too() {
    let (target, endpoint) = (Target::new(echo).await, endpoint().await);
    let mut case = case(&target, &endpoint);
    case.secrets.clear();
    credentials(&mut case).client_secret = "written-out".to_owned();
    let done = case.run().await;
    assert_eq!(
        stored(&done),
        "got Bearer [REDACTED:auth]",
        "{}",
        message(&done)
    );
    hides(&done);
}
