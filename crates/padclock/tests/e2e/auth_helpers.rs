//! AWS signatures, access tokens and webhook signatures, before a target that checks them by itself: it takes what is right, and
//! nothing of what made it so is found anywhere afterwards.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::{Reply, Seen, Target};

on_both_stores!(
    a_target_that_checks_aws_signatures_takes_them,
    a_target_that_checks_webhook_signatures_takes_them,
    tokens_are_asked_for_kept_and_replaced,
    a_token_that_is_refused_says_why_without_the_secret,
    the_clients_secret_is_bound_to_the_tokens_host,
    what_is_wrong_with_them_is_said_when_the_job_is_saved,
    a_key_that_signs_is_in_use
);

const AWS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4";
const CLIENT: &str = "client secret: +/9fHk2mQ";

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with).to_vec();
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()).to_vec()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let pairs = bytes.as_ref().iter().map(|byte| format!("{byte:02x}"));
    pairs.collect()
}

/// The signature that S3 would come to for what arrived. All but one sign of the path here is as S3 encodes it, and the query as it
/// sorts it.
fn aws_signature(seen: &Seen, authorization: &str) -> String {
    let part = |name: &str| {
        let rest = authorization.split_once(name).unwrap().1;
        rest.split(',').next().unwrap().to_owned()
    };
    let credential = part("Credential=");
    let (_, scope) = credential.split_once('/').unwrap();
    let signed = part("SignedHeaders=");
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let path = path.replace('$', "%24");
    let mut canonical = format!("{}\n{path}\n{query}\n", seen.method);
    for name in signed.split(';') {
        canonical += &format!("{name}:{}\n", seen.header(name).trim());
    }
    canonical += &format!("\n{signed}\n{}", hex(Sha256::digest(&seen.body)));
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        seen.header("x-amz-date"),
        hex(Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{AWS_KEY}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes());
    }
    hex(hmac(&key, text.as_bytes()))
}

/// 200 for a right signature, and then it says back all headers; else 403.
fn aws_target(seen: &Seen) -> Reply {
    let authorization = seen.header("authorization");
    let expected = format!("Signature={}", aws_signature(seen, &authorization));
    if !authorization.ends_with(&expected) || seen.header("x-amz-security-token") != SESSION {
        return Reply::response(403, "", b"SignatureDoesNotMatch");
    }
    let line =
        |(name, value): &(String, Vec<u8>)| format!("{name}={}\n", String::from_utf8_lossy(value));
    Reply::ok(seen.headers.iter().map(line).collect::<String>())
}

fn recorded<'e>(execution: &'e Value, header: &str) -> &'e str {
    word(&execution["attempts"][0]["request"]["headers"], header)
}

async fn a_target_that_checks_aws_signatures_takes_them(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::new(aws_target).await);
    server.secret("AWS_KEY", AWS_KEY).await;
    server.secret("AWS_SESSION", SESSION).await;
    server.secret("IN_BODY", "what-the-body-holds").await;
    let auth = json!({"awsv4": {
        "access_key_id": "AKIDEXAMPLE", "secret_access_key": "{{secret.AWS_KEY}}", "session_token": "{{secret.AWS_SESSION}}",
        "region": "eu-central-1", "service": "s3",
    }});
    let request = json!({
        "url": target.url("/bucket/a%20name/ü/$x?list-type=2"), "method": "PUT", "query": {"prefix": "a b/c"},
        "headers": {"X-Amz-Storage-Class": "  REDUCED_REDUNDANCY", "User-Agent": "mine"}, "body": {"it": "{{secret.IN_BODY}}"}, "auth": auth,
    });
    let job = server.client.manual("upload", request).await;
    let execution = server.client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");

    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(
        seen.path,
        "/bucket/a%20name/%C3%BC/$x?list-type=2&prefix=a%20b%2Fc"
    );
    let authorization = seen.header("authorization");
    let signature = authorization.rsplit('=').next().unwrap();
    for (name, value) in [
        ("the signature", signature),
        ("the hash of the body", &seen.header("x-amz-content-sha256")),
    ] {
        assert_eq!(value.len(), 64, "{name}");
        server.home.plant(name, value);
    }
    assert_eq!(recorded(&execution, "authorization"), "[REDACTED:AWS_KEY]");
    assert_eq!(
        recorded(&execution, "x-amz-security-token"),
        "[REDACTED:AWS_SESSION]"
    );
    assert_eq!(
        recorded(&execution, "x-amz-date").len(),
        "20150830T123600Z".len()
    );
    assert!(!execution.to_string().contains(signature), "{execution}");
    let names = ["AWS_KEY", "AWS_SESSION", "IN_BODY"];
    assert_eq!(
        execution["secrets"],
        json!(names.map(|name| json!({"name": name, "version": 1})))
    );
}

async fn a_target_that_checks_webhook_signatures_takes_them(engine: Engine) {
    const KEY: &[u8] = b"twenty-four bytes of key";
    let coded = format!("whsec_{}", STANDARD.encode(KEY));
    let check = |seen: &Seen| {
        let (id, stamp) = (seen.header("webhook-id"), seen.header("webhook-timestamp"));
        let text = [id.as_bytes(), b".", stamp.as_bytes(), b".", &seen.body].concat();
        let expected = format!("v1,{}", STANDARD.encode(hmac(KEY, &text)));
        let right =
            seen.header("webhook-signature") == expected && id == seen.header("idempotency-key");
        Reply::response(if right { 200 } else { 403 }, "", expected.as_bytes())
    };
    let (server, target) = (Server::new(engine).await, Target::new(check).await);
    server.secret("CODED", &coded).await;
    server
        .secret("AS_IT_IS", std::str::from_utf8(KEY).unwrap())
        .await;
    for name in ["CODED", "AS_IT_IS"] {
        let request = json!({"url": target.url("/hook"), "method": "POST", "body": {"event": "done", "é": [1, 2]}, "sign_with": name});
        let job = server.client.manual(name, request).await;
        let execution = server.client.run(&job).await;
        assert_eq!(execution["status"], "succeeded", "{execution}");
        let placeholder = format!("[REDACTED:{name}]");
        assert_eq!(recorded(&execution, "webhook-signature"), placeholder);
        assert_eq!(recorded(&execution, "webhook-id"), word(&execution, "id"));
        assert_eq!(execution["attempts"][0]["response"]["body"], placeholder);
        let seen = target.one_of(word(&execution, "id"));
        server
            .home
            .plant("the signature", &seen.header("webhook-signature")[3..]);
    }
    let request = json!({"url": target.url("/hook"), "sign_with": {"secret": "MISSING"}});
    let job = server.client.manual("missing", request).await;
    let execution = server.client.run(&job).await;
    assert_eq!(
        execution["attempts"][0]["error"]["code"], "secret_unresolved",
        "{execution}"
    );
}

fn token(number: usize) -> String {
    format!("eyJ0b2tlbiI6-token-number-{number}-QmVhcmVy")
}

/// Grants token after token; at `/data` it takes the newest one, and at `/revoke` none that was granted so far.
async fn token_target() -> Target {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let (granted, valid) = (AtomicUsize::new(0), AtomicUsize::new(1));
    let basic = STANDARD.encode("client:client%20secret%3A%20%2B%2F9fHk2mQ");
    Target::new(move |seen| match seen.path.as_str() {
        "/token" if seen.header("authorization") == format!("Basic {basic}") => {
            let number = granted.fetch_add(1, SeqCst) + 1;
            let body =
                json!({"access_token": token(number), "token_type": "bearer", "expires_in": 3600});
            Reply::ok(body.to_string())
        }
        "/token" => {
            let said = format!(
                "no such client: {} {}",
                seen.header("authorization"),
                seen.text()
            );
            Reply::response(401, "", json!({"error": said}).to_string().as_bytes())
        }
        "/revoke" => {
            valid.store(granted.load(SeqCst) + 1, SeqCst);
            Reply::ok("revoked")
        }
        _ => {
            let right =
                seen.header("authorization") == format!("Bearer {}", token(valid.load(SeqCst)));
            Reply::response(
                if right { 200 } else { 401 },
                "",
                seen.header("authorization").as_bytes(),
            )
        }
    })
    .await
}

fn with_token(target: &Target, client_auth: &str) -> Value {
    let auth = json!({"oauth2_client_credentials": {
        "token_url": target.url("/token"), "client_id": "client", "client_secret": "{{secret.CLIENT}}", "client_auth": client_auth,
    }});
    json!({"url": target.url("/data"), "auth": auth})
}

fn asked(target: &Target) -> usize {
    let seen = target.seen();
    seen.iter().filter(|seen| seen.path == "/token").count()
}

async fn tokens_are_asked_for_kept_and_replaced(engine: Engine) {
    let (server, target) = (Server::new(engine).await, token_target().await);
    server.secret("CLIENT", CLIENT).await;
    let job = server
        .client
        .manual("data", with_token(&target, "basic"))
        .await;
    let revoke = server
        .client
        .manual("revoke", json!({"url": target.url("/revoke")}))
        .await;
    for number in 1..=3 {
        server.home.plant("a token", &token(number));
    }
    let run = async || {
        let execution = server.client.run(&job).await;
        assert_eq!(execution["status"], "succeeded", "{execution}");
        assert_eq!(
            recorded(&execution, "authorization"),
            "Bearer [REDACTED:CLIENT]"
        );
        assert_eq!(
            execution["attempts"][0]["response"]["body"],
            "Bearer [REDACTED:CLIENT]"
        );
        assert_eq!(
            execution["secrets"],
            json!([{"name": "CLIENT", "version": 1}])
        );
        target.seen_of(word(&execution, "id")).len()
    };
    assert_eq!((run().await, asked(&target)), (1, 1));
    assert_eq!((run().await, asked(&target)), (1, 1), "the token is kept");
    server.client.run(&revoke).await;
    assert_eq!(
        (run().await, asked(&target)),
        (2, 2),
        "refused once, then a fresh one"
    );
    assert_eq!((run().await, asked(&target)), (1, 2));
}

async fn a_token_that_is_refused_says_why_without_the_secret(engine: Engine) {
    let (server, target) = (Server::new(engine).await, token_target().await);
    server.secret("CLIENT", CLIENT).await;
    // The target knows the client by its header alone, and repeats what it was sent.
    let job = server
        .client
        .manual("data", with_token(&target, "post"))
        .await;
    let execution = server.client.run(&job).await;
    let attempt = &execution["attempts"][0];
    assert_eq!(
        attempt["error"]["code"], "oauth2_token_failed",
        "{execution}"
    );
    let message = word(&attempt["error"], "message");
    assert!(
        message.contains("401") && message.contains("no such client"),
        "{message}"
    );
    assert_eq!(
        (&execution["attempt_count"], &attempt["request"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(target.seen_of(word(&execution, "id")).len(), 0);
}

async fn the_clients_secret_is_bound_to_the_tokens_host(engine: Engine) {
    let (server, target) = (Server::new(engine).await, token_target().await);
    let elsewhere = Target::agreeable().await;
    let bound = |target: &Target| {
        let egress = json!({"schemes": ["http"], "hosts": ["127.0.0.1"], "ports": [target.address.port()], "places": ["auth"]});
        json!({"name": "CLIENT", "value": CLIENT, "egress": egress})
    };
    server.home.plant("CLIENT", CLIENT);
    let made = server
        .client
        .post("/v1/secrets", &bound(&target))
        .await
        .expect(201);

    // Bound to the token's host it may be used for a request to another.
    let mut request = with_token(&target, "basic");
    request["url"] = json!(elsewhere.url("/data"));
    let job = server.client.manual("data", request).await;
    let execution = server.client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let bearer = format!("Bearer {}", token(1));
    assert_eq!(
        elsewhere
            .one_of(word(&execution, "id"))
            .header("authorization"),
        bearer
    );
    server.home.plant("a token", &token(1));

    // Bound to the other it is not sent to the token's host, although a token is kept.
    server
        .client
        .delete(&format!("/v1/secrets/{}", made.id()))
        .await
        .expect(204);
    server
        .client
        .post("/v1/secrets", &bound(&elsewhere))
        .await
        .expect(201);
    let execution = server.client.run(&job).await;
    assert_eq!(
        execution["attempts"][0]["error"]["code"], "egress_refused",
        "{execution}"
    );
    assert_eq!((asked(&target), elsewhere.seen().len()), (1, 1));
}

async fn what_is_wrong_with_them_is_said_when_the_job_is_saved(engine: Engine) {
    let server = Server::new(engine).await;
    let refused = async |request: Value, field: &str, code: &str| {
        let definition = json!({"name": "n", "kind": "manual", "request": request});
        let answer = server.client.post("/v1/jobs", &definition).await;
        answer.refused(400, "validation_error", Some((field, code)));
    };
    let url = "https://example.com/";
    let aws =
        json!({"access_key_id": "a", "secret_access_key": "b", "region": "r", "service": "s"});
    for (auth, field, code) in [
        (
            json!({"awsv4": ["a", "b", null, "r", "s"]}),
            "request.auth.awsv4",
            "wrong_type",
        ),
        (
            json!({"oauth2_client_credentials": ["u", "i", "s"]}),
            "request.auth.oauth2_client_credentials",
            "wrong_type",
        ),
        (
            json!({"awsv4": {"access_key_id": "a", "secret_access_key": "b", "region": "r"}}),
            "request.auth.awsv4.service",
            "missing_field",
        ),
        (
            json!({"oauth2_client_credentials": {"token_url": url, "client_id": "i", "client_secret": "{{x}}"}}),
            "request.auth.oauth2_client_credentials.client_secret",
            "unknown_variable",
        ),
    ] {
        refused(json!({"url": url, "auth": auth}), field, code).await;
    }
    let redirects = json!({"url": url, "auth": {"awsv4": aws}, "follow_redirects": true});
    refused(redirects, "request.follow_redirects", "conflict").await;
    refused(
        json!({"url": url, "sign_with": "{{secret.X}}"}),
        "request.sign_with",
        "bad_name",
    )
    .await;
    refused(
        json!({"url": url, "sign_with": ["X"]}),
        "request.sign_with",
        "wrong_type",
    )
    .await;
}

async fn a_key_that_signs_is_in_use(engine: Engine) {
    let server = Server::new(engine).await;
    let id = server.secret("HOOK", "a-key-that-signs").await;
    let job = server
        .client
        .manual(
            "hook",
            json!({"url": "https://example.com/", "sign_with": {"secret": "HOOK"}}),
        )
        .await;
    let kept = server
        .client
        .get(&format!("/v1/jobs/{job}"))
        .await
        .expect(200);
    assert_eq!(kept.json()["request"]["sign_with"], "HOOK");
    let path = format!("/v1/secrets/{id}?if_unused=true");
    server.client.delete(&path).await.expect(409);
}
