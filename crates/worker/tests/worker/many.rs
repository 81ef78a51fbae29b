//! Many executions through one worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use padclock_api::{ExecutionId, WorkspaceId};
use padclock_template::{RefSyntax, SecretRef};
use padclock_vault::{Unreadable, Value};
use padclock_worker::{End, FailureKind, Opener, Resolve, SealedSecret, Worker};
use tokio::sync::Barrier;

use crate::support::source::OneShot;
use crate::support::target::{Reply, Target};
use crate::support::{Case, Values, code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_executions_all_end_well() {
    let target =
        Target::new(|seen| Reply::ok(format!("{{\"you\":\"{}\"}}", seen.header("x-key")))).await;
    let case = Case::get(target.url("/"))
        .header("X-Key", "secret://KEY")
        .secret("KEY", "a-value-of-some-length");
    let template = case.lease(0);
    let leases = (0..2000u32).map(|number| {
        let mut lease = template.clone();
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        lease.execution = ExecutionId::from_bytes(id);
        lease.workspace = WorkspaceId::from_bytes([(number % 3) as u8; 16]);
        lease
    });
    let mut settings = case.settings.clone();
    settings.per_host = 32;
    let worker = Worker::new(Arc::new(Values(case.values.clone())), settings).unwrap();
    let results = OneShot::perform(&worker, leases.collect()).await;
    assert_eq!(results.len(), 2000);
    let bodies = results
        .iter()
        .map(|done| done.attempt.response.as_ref().unwrap().body.as_deref());
    assert!(
        bodies
            .clone()
            .all(|body| body == Some("{\"you\":\"[REDACTED:KEY]\"}")),
        "{:?}",
        bodies.take(3).collect::<Vec<_>>()
    );
    assert!(results.iter().all(|done| done.end == End::Succeeded));
    assert_eq!(worker.counters().read().succeeded, 2000);
}

#[tokio::test]
async fn a_host_never_gets_more_at_once_than_its_limit() {
    /// Counts connections by the addresses that are asked for.
    struct Counting {
        port_is: std::net::IpAddr,
        asked: AtomicUsize,
    }
    #[async_trait]
    impl Resolve for Counting {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            Ok(vec![self.port_is])
        }
    }
    let target = Target::new(|_| Reply::ok("")).await;
    let mut case = Case::get(format!("http://one.example:{}/", target.address.port()));
    let resolver = Arc::new(Counting {
        port_is: target.address.ip(),
        asked: AtomicUsize::new(0),
    });
    case.settings.per_host = 3;
    let worker = Worker::with_resolver(
        Arc::new(Values(case.values.clone())),
        case.settings.clone(),
        Arc::clone(&resolver) as Arc<dyn Resolve>,
    )
    .unwrap();
    let results =
        OneShot::perform(&worker, (0..60).map(|number| case.lease(number)).collect()).await;
    assert!(results.iter().all(|done| done.end == End::Succeeded));
    let connections = resolver.asked.load(Ordering::SeqCst);
    assert!(
        connections <= 6,
        "{connections} connections for 60 requests, 3 at once"
    );
}

#[tokio::test]
async fn attempts_run_beside_each_other() {
    // Each answer waits for all three requests to be there.
    let barrier = Arc::new(Barrier::new(3));
    struct Meet(Arc<Barrier>);
    #[async_trait]
    impl Resolve for Meet {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            self.0.wait().await;
            Ok(vec!["127.0.0.1".parse().unwrap()])
        }
    }
    let target = Target::new(|_| Reply::ok("")).await;
    let leases = ["a", "b", "c"].iter().zip(1..).map(|(host, number)| {
        Case::get(format!("http://{host}.example:{}/", target.address.port())).lease(number)
    });
    let case = Case::get(target.url("/"));
    let worker = Worker::with_resolver(
        Arc::new(Values(case.values)),
        case.settings,
        Arc::new(Meet(barrier)),
    )
    .unwrap();
    let results = OneShot::perform(&worker, leases.collect()).await;
    assert!(results.iter().all(|done| done.end == End::Succeeded));
}

#[tokio::test]
async fn a_panic_in_one_attempt_leaves_the_others_alone_and_stores_nothing() {
    struct Moody;
    impl Opener for Moody {
        fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable> {
            assert!(secret.name != "BAD", "this one panics");
            Ok(Value::new(b"some-value".to_vec()))
        }
    }
    let target = Target::new(|_| Reply::ok("")).await;
    let case = |name: &str| {
        Case::get(target.url("/"))
            .header("X-Key", &format!("{{{{secret.{name}}}}}"))
            .secret(name, "some-value")
    };
    let worker = Worker::new(Arc::new(Moody), crate::support::settings()).unwrap();
    let results = OneShot::perform(
        &worker,
        vec![
            case("GOOD").lease(1),
            case("BAD").lease(2),
            case("FINE").lease(3),
        ],
    )
    .await;
    assert_eq!(results[0].end, End::Succeeded);
    assert_eq!(results[2].end, End::Succeeded);
    assert_eq!(code(&results[1]), "internal");
    assert_eq!(
        (&results[1].attempt.request, &results[1].attempt.response),
        (&None, &None)
    );
    assert_eq!(results[1].secrets[0].name, "BAD", "it may have been opened");
    assert_eq!(worker.counters().read().failed_by(FailureKind::Internal), 1);
}

#[test]
fn a_reference_in_both_syntaxes_is_one_used_secret() {
    let case = Case::get("http://127.0.0.1/")
        .header("A", "{{secret.KEY}}")
        .header("B", "secret://KEY")
        .secret("KEY", "value-of-it");
    let references: Vec<_> = case
        .secrets
        .iter()
        .map(|secret| secret.reference.clone())
        .collect();
    let name = || "KEY".to_owned();
    assert_eq!(
        references,
        [
            SecretRef {
                syntax: RefSyntax::Braces,
                name: name()
            },
            SecretRef {
                syntax: RefSyntax::Uri,
                name: name()
            }
        ]
    );
    let used = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(case.run())
        .secrets;
    assert_eq!(used.len(), 1);
}
