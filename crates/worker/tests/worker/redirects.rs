//! Redirects: not followed unless asked for, never with a secret to another origin, and checked at each hop.

use padclock_template::AuthSpec;
use padclock_vault::EgressPolicy;
use padclock_worker::End;

use crate::support::target::{Reply, Target};
use crate::support::{Case, code, message, stored};

const VALUE: &str = "a-value-to-keep-here";

async fn redirecting(status: u16, location: impl Into<String>) -> Target {
    let location = location.into();
    Target::new(move |seen| match seen.path.as_str() {
        "/start" => Reply::response(status, &format!("Location: {location}\r\n"), b"moved"),
        _ => Reply::ok("arrived"),
    })
    .await
}

fn with_secrets(case: Case) -> Case {
    let mut case = case
        .header("X-Key", "{{secret.KEY}}")
        .header("X-Plain", "1")
        .secret("KEY", VALUE);
    case.request.auth = Some(AuthSpec::Bearer {
        token: "literal-token".to_owned(),
    });
    case
}

#[tokio::test]
async fn by_default_a_redirect_is_an_answer_like_any_other() {
    let mut target = redirecting(302, "/next").await;
    let done = Case::get(target.url("/start")).run().await;
    assert_eq!(code(&done), "status");
    assert_eq!(done.attempt.response.as_ref().unwrap().status, 302);
    assert!(matches!(done.end, End::Failed { .. }));
    target.request().await;
    assert!(target.seen.try_recv().is_err());
}

#[tokio::test]
async fn within_the_origin_secrets_go_along() {
    for status in [301, 302, 303, 307, 308] {
        let mut target = redirecting(status, "/next?x=1").await;
        let done = with_secrets(Case::get(target.url("/start")))
            .follow()
            .run()
            .await;
        assert_eq!(stored(&done), "arrived", "{status}");
        assert!(
            done.attempt
                .response
                .unwrap()
                .note
                .unwrap()
                .contains("redirects")
        );
        target.request().await;
        let second = target.request().await;
        assert_eq!(second.path, "/next?x=1");
        assert_eq!(second.header("x-key"), VALUE);
        assert_eq!(second.header("authorization"), "Bearer literal-token");
        assert_eq!(second.header("referer"), "");
        assert_eq!(second.header("idempotency-key"), done.execution.to_string());
    }
}

#[tokio::test]
async fn another_origin_gets_nothing_secret() {
    let mut other = Target::new(|_| Reply::ok("arrived")).await;
    let mut first = redirecting(307, other.url("/there")).await;
    let done = with_secrets(Case::post(first.url("/start"), "plain"))
        .follow()
        .run()
        .await;
    assert_eq!(stored(&done), "arrived");
    assert_eq!(first.request().await.header("x-key"), VALUE);
    let seen = other.request().await;
    assert_eq!(
        (seen.method.as_str(), seen.body.as_slice()),
        ("POST", b"plain".as_slice())
    );
    assert_eq!(seen.header("x-plain"), "1");
    for gone in ["x-key", "authorization", "referer", "cookie"] {
        assert_eq!(seen.header(gone), "", "{gone}");
    }
    assert!(!format!("{seen:?}").contains(VALUE));
}

#[tokio::test]
async fn back_at_the_first_origin_secrets_do_not_come_back() {
    let mut other = Target::new(|_| Reply::ok("")).await;
    let back = other.address;
    let mut first = Target::new(move |seen| match seen.path.as_str() {
        "/start" => Reply::response(302, &format!("Location: http://{back}/over\r\n"), b""),
        _ => Reply::ok("arrived"),
    })
    .await;
    let home = first.url("/home");
    other = Target::new(move |_| Reply::response(302, &format!("Location: {home}\r\n"), b"")).await;
    let there = other.url("/over");
    let mut start = redirecting(302, there).await;
    let done = with_secrets(Case::get(start.url("/start")))
        .follow()
        .run()
        .await;
    assert_eq!(stored(&done), "arrived");
    start.request().await;
    other.request().await;
    assert_eq!(first.request().await.header("x-key"), "");
}

#[tokio::test]
async fn a_body_with_a_secret_does_not_go_to_another_origin() {
    let mut other = Target::new(|_| Reply::ok("")).await;
    let first = redirecting(307, other.url("/there")).await;
    let done = Case::post(first.url("/start"), "a {{secret.KEY}} b")
        .secret("KEY", VALUE)
        .follow()
        .run()
        .await;
    assert_eq!(code(&done), "redirect_refused");
    assert!(matches!(done.end, End::Failed { .. }));
    assert!(other.seen.try_recv().is_err());
}

#[tokio::test]
async fn an_address_that_carries_the_value_is_not_followed_elsewhere() {
    let mut other = Target::new(|_| Reply::ok("")).await;
    let to = other.url("/take?it=");
    let first = Target::new(move |seen| {
        Reply::response(
            302,
            &format!("Location: {to}{}\r\n", seen.header("x-key")),
            b"",
        )
    })
    .await;
    let done = with_secrets(Case::get(first.url("/start")))
        .follow()
        .run()
        .await;
    assert_eq!(code(&done), "redirect_refused");
    assert!(!message(&done).contains(VALUE));
    assert!(other.seen.try_recv().is_err());
}

#[tokio::test]
async fn each_hop_goes_through_the_guard() {
    for location in [
        "http://169.254.169.254/latest/",
        "http://[::1]:1/",
        "http://10.0.0.1/",
        "http://0x7f000001.nip/",
    ] {
        let target = redirecting(302, location).await;
        let mut case = with_secrets(Case::get(target.url("/start"))).follow();
        case.resolver = crate::support::Names::new([&["192.168.1.1"]]);
        let done = case.run().await;
        assert_eq!(
            code(&done),
            "egress_address_refused",
            "{location}: {}",
            message(&done)
        );
        assert!(done.attempt.request.is_some(), "the first request was sent");
    }
}

#[tokio::test]
async fn each_hop_is_checked_against_the_policy() {
    let policy = EgressPolicy {
        schemes: vec!["http".to_owned()],
        path_prefixes: vec!["/start".to_owned(), "/allowed".to_owned()],
        ..EgressPolicy::default()
    };
    for (location, expected) in [("/allowed/x", ""), ("/elsewhere", "egress_refused")] {
        let mut target = redirecting(302, location).await;
        let case = Case::get(target.url("/start"))
            .header("X-Key", "{{secret.KEY}}")
            .bound("KEY", VALUE, Some(policy.clone()));
        let done = case.follow().run().await;
        assert_eq!(code(&done), expected, "{location}: {}", message(&done));
        target.request().await;
        assert_eq!(target.seen.try_recv().is_ok(), expected.is_empty());
        let refused = done
            .refused
            .map(|refused| (refused.secrets[0].name.clone(), refused.host));
        let hop = ("KEY".to_owned(), "127.0.0.1".to_owned());
        assert_eq!(refused, (!expected.is_empty()).then_some(hop), "{location}");
    }
}

#[tokio::test]
async fn five_redirects_are_followed_and_not_six() {
    let count = |limit: usize| async move {
        Target::new(move |seen| {
            let hop: usize = seen.path.trim_start_matches('/').parse().unwrap();
            match hop < limit {
                true => Reply::response(302, &format!("Location: /{}\r\n", hop + 1), b""),
                false => Reply::ok("arrived"),
            }
        })
        .await
    };
    let five = count(5).await;
    assert_eq!(
        stored(&Case::get(five.url("/0")).follow().run().await),
        "arrived"
    );
    let six = count(6).await;
    let done = Case::get(six.url("/0")).follow().run().await;
    assert_eq!(code(&done), "too_many_redirects");
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_refused() {
    for location in ["ftp://example.com/", "file:///etc/passwd", "http://"] {
        let target = redirecting(302, location).await;
        assert_eq!(
            code(&Case::get(target.url("/start")).follow().run().await),
            "redirect_refused",
            "{location}"
        );
    }
}
