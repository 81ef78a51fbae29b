//! Signed requests on real sockets: what arrives, and that nothing of it is kept. That the signatures are right is tested where they
//! are made, and against a target that checks them, end to end.

use padclock_template::{AuthSpec, AwsSignature};
use padclock_worker::{Completion, End};

use crate::support::target::{Reply, Seen, Target};
use crate::support::{Case, NOW, code, everything, message, stored};

const AWS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "a-session-token-of-temporary-credentials";
const WEBHOOK: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Says back every header.
fn echo(seen: &Seen) -> Reply {
    let line =
        |(name, value): &(String, Vec<u8>)| format!("{name}: {}\n", String::from_utf8_lossy(value));
    Reply::ok(seen.headers.iter().map(line).collect::<String>())
}

fn aws(case: &mut Case, service: &str) {
    case.request.auth = Some(AuthSpec::Awsv4(AwsSignature {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "{{secret.AWS_KEY}}".to_owned(),
        session_token: Some("{{secret.SESSION}}".to_owned()),
        region: "eu-central-1".to_owned(),
        service: service.to_owned(),
    }));
}

fn recorded<'d>(done: &'d Completion, name: &str) -> &'d str {
    let request = done.attempt.request.as_ref().unwrap();
    request.headers.get(name).map_or("", String::as_str)
}

#[tokio::test]
async fn an_aws_signature_arrives_and_is_not_kept() {
    let mut target = Target::new(echo).await;
    let mut case = Case::post(target.url("/bucket/a%20name"), "{{secret.BODY}}")
        .header("Content-Type", "text/plain")
        .secret("AWS_KEY", AWS_KEY)
        .secret("SESSION", SESSION)
        .secret("BODY", "a-body-that-is-secret");
    aws(&mut case, "s3");
    let done = case.run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    let seen = target.request().await;
    let authorization = seen.header("authorization");
    let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260309/eu-central-1/s3/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=";
    let signature = authorization.strip_prefix(start).unwrap();
    assert_eq!(signature.len(), 64);
    assert_eq!(seen.header("x-amz-date"), "20260309T150000Z");
    assert_eq!(seen.header("x-amz-security-token"), SESSION);
    let hash = seen.header("x-amz-content-sha256");
    assert_eq!(hash.len(), 64);

    let all = everything(&done);
    for secret in [
        AWS_KEY,
        SESSION,
        signature,
        hash.as_str(),
        &signature.to_uppercase(),
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert_eq!(recorded(&done, "authorization"), "[REDACTED:AWS_KEY]");
    assert_eq!(
        recorded(&done, "x-amz-security-token"),
        "[REDACTED:SESSION]"
    );
    assert_eq!(
        recorded(&done, "x-amz-content-sha256"),
        "[REDACTED:AWS_KEY]"
    );
    assert_eq!(recorded(&done, "x-amz-date"), "20260309T150000Z");
    assert!(
        stored(&done).contains("authorization: [REDACTED:AWS_KEY]"),
        "{}",
        stored(&done)
    );
}

#[tokio::test]
async fn a_signature_has_the_time_of_its_attempt() {
    let mut target = Target::new(echo).await;
    let mut case = Case::get(target.url("/"))
        .secret("AWS_KEY", AWS_KEY)
        .secret("SESSION", SESSION);
    aws(&mut case, "execute-api");
    case.request.sign_with = Some("AWS_KEY".to_owned());
    let worker = padclock_worker::Worker::with_resolver(
        std::sync::Arc::new(crate::support::Values(case.values.clone())),
        case.settings.clone(),
        case.resolver.clone(),
    )
    .unwrap();
    let mut lease = case.lease(1);
    // The execution started an hour ago; this attempt is made now.
    lease.now = NOW.plus_seconds(3_600);
    let done = crate::support::source::OneShot::perform(&worker, vec![lease]).await;
    assert_eq!(done[0].end, End::Succeeded);
    let seen = target.request().await;
    assert_eq!(seen.header("x-amz-date"), "20260309T160000Z");
    assert_eq!(seen.header("webhook-timestamp"), "1773072000");
    assert_eq!(
        seen.header("x-amz-content-sha256"),
        "",
        "that header is for S3"
    );
    let signed = "SignedHeaders=host;webhook-id;webhook-signature;webhook-timestamp;x-amz-date;x-amz-security-token,";
    assert!(
        seen.header("authorization").contains(signed),
        "{}",
        seen.header("authorization")
    );
}

#[tokio::test]
async fn a_webhook_signature_arrives_and_is_not_kept() {
    let mut target = Target::new(echo).await;
    let mut case = Case::post(target.url("/hook"), serde_json::json!({"event": "done"}))
        .secret("HOOK", WEBHOOK);
    case.request.sign_with = Some("HOOK".to_owned());
    let done = case.run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    let seen = target.request().await;
    assert_eq!(seen.header("webhook-id"), done.execution.to_string());
    assert_eq!(seen.header("webhook-timestamp"), "1773068400");
    let signature = seen.header("webhook-signature");
    let coded = signature.strip_prefix("v1,").unwrap();
    assert_eq!(coded.len(), 44);
    let all = everything(&done);
    for secret in [coded, WEBHOOK, &WEBHOOK[6..]] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert_eq!(recorded(&done, "webhook-signature"), "[REDACTED:HOOK]");
    assert_eq!(recorded(&done, "webhook-timestamp"), "1773068400");
    assert_eq!(done.secrets[0].name, "HOOK");
}

#[tokio::test]
async fn a_signature_stays_with_its_origin() {
    let mut other = Target::new(echo).await;
    let location = format!("Location: {}\r\n", other.url("/there"));
    let target = Target::fixed(crate::support::target::response(307, &location, b"")).await;
    let mut case = Case::post(target.url("/hook"), "the body")
        .header("Content-Type", "text/plain")
        .secret("HOOK", WEBHOOK)
        .follow();
    case.request.sign_with = Some("HOOK".to_owned());
    assert_eq!(case.run().await.end, End::Succeeded);
    assert_eq!(other.request().await.header("webhook-signature"), "");
}

#[tokio::test]
async fn a_key_that_is_none_is_named() {
    let mut target = Target::new(echo).await;
    let mut case = Case::get(target.url("/")).secret("HOOK", "whsec_%%% no base64");
    case.request.sign_with = Some("HOOK".to_owned());
    let done = case.run().await;
    assert_eq!(code(&done), "auth_invalid");
    assert!(message(&done).contains("HOOK") && !message(&done).contains("%%%"));
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}
