//! Which addresses are connected to, and what is said of those that are not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use padclock_worker::{End, FailureKind, Resolve, Settings, Worker};

use crate::support::source::OneShot;
use crate::support::target::{Reply, Target};
use crate::support::{Case, Names, NeverOpened, Values, code, message};

/// A case that may connect to public addresses only.
fn strict(url: &str) -> Case {
    let mut case = Case::get(url);
    case.settings = Settings::default();
    case
}

#[tokio::test]
async fn addresses_that_must_not_be_reached_are_refused_however_they_are_written() {
    let listed = "--egress-allow";
    let never = "never reachable";
    let table = [
        ("http://127.0.0.1/", listed),
        ("http://127.1/", listed),
        ("http://2130706433/", listed),
        ("http://0x7f000001/", listed),
        ("http://0x7f.0.0.1/", listed),
        ("http://0177.0.0.1/", listed),
        ("http://017700000001/", listed),
        ("http://10.0.0.1/", listed),
        ("http://172.16.0.1/", listed),
        ("http://192.168.0.1/", listed),
        ("http://100.64.0.1/", listed),
        ("http://[::1]/", listed),
        ("http://[fd00::1]/", listed),
        ("http://[::ffff:127.0.0.1]/", listed),
        ("http://[::ffff:7f00:1]/", listed),
        ("http://[::ffff:10.0.0.1]/", listed),
        ("http://0.0.0.0/", never),
        ("http://0/", never),
        ("http://169.254.169.254/latest/meta-data/", never),
        ("http://2852039166/", never),
        ("http://0xa9fea9fe/", never),
        ("http://0251.0376.0251.0376/", never),
        ("http://[::ffff:169.254.169.254]/", never),
        ("http://[::169.254.169.254]/", never),
        ("http://[64:ff9b::a9fe:a9fe]/", never),
        ("http://[2002:a9fe:a9fe::]/", never),
        ("http://[fd00:ec2::254]/", never),
        ("http://[fe80::1]/", never),
        ("http://[ff02::1]/", never),
        ("http://[::]/", never),
        ("http://224.0.0.1/", never),
        ("http://255.255.255.255/", never),
        ("http://240.0.0.1/", never),
    ];
    let mut cases = Vec::new();
    for (number, (url, _)) in (0u8..).zip(table) {
        cases.push(strict(url).lease(number));
    }
    let worker = Worker::new(Arc::new(NeverOpened), Settings::default()).unwrap();
    let results = OneShot::perform(&worker, cases).await;
    for (done, (url, says)) in results.iter().zip(table) {
        assert_eq!(
            code(done),
            "egress_address_refused",
            "{url}: {}",
            message(done)
        );
        assert!(message(done).contains(says), "{url}: {}", message(done));
        assert_eq!(done.attempt.request, None, "{url}: nothing was sent");
        assert_eq!(
            done.end,
            End::Failed {
                reason: "egress_address_refused".to_owned()
            },
            "{url} is not retried"
        );
    }
    assert_eq!(
        worker.counters().read().failed_by(FailureKind::Egress),
        table.len() as u64
    );
}

#[tokio::test]
async fn localhost_is_refused_unless_it_is_listed() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let url = format!("http://localhost:{}/", target.address.port());
    let done = strict(&url).run().await;
    assert_eq!(code(&done), "egress_address_refused", "{}", message(&done));
    assert!(
        message(&done).contains("localhost") && message(&done).contains("loopback"),
        "{}",
        message(&done)
    );
    assert_eq!(Case::get(url).run().await.end, End::Succeeded);
    target.request().await;
    assert!(target.seen.try_recv().is_err(), "one request came");
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    for address in [
        "127.0.0.1",
        "10.0.0.8",
        "::1",
        "::ffff:192.168.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
    ] {
        let mut case = strict("http://innocent.example/");
        case.resolver = Names::new([&[address]]);
        let done = case.run().await;
        assert_eq!(code(&done), "egress_address_refused", "{address}");
        assert!(
            message(&done).contains("innocent.example"),
            "{}",
            message(&done)
        );
    }
}

#[tokio::test]
async fn a_resolver_that_changes_its_mind_gains_nothing() {
    // The first answer is allowed and checked; the second would lead to the metadata service. It is never asked for.
    let mut target = Target::new(|_| Reply::ok("")).await;
    let names = Names::new([&["127.0.0.1"], &["169.254.169.254"]]);
    let mut case = Case::get(format!("http://rebound.example:{}/", target.address.port()));
    case.resolver = Arc::clone(&names) as Arc<dyn Resolve>;
    let done = case.run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert_eq!(
        target.request().await.header("host"),
        format!("rebound.example:{}", target.address.port())
    );
}

#[tokio::test]
async fn of_several_addresses_only_the_checked_ones_are_tried() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let mut case = Case::get(format!("http://mixed.example:{}/", target.address.port()));
    case.resolver = Names::new([&["169.254.169.254", "10.9.9.9", "::1", "127.0.0.1"]]);
    assert_eq!(case.run().await.end, End::Succeeded);
    target.request().await;
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    // 127.0.0.2 has nobody at this port; 127.0.0.1 has.
    let mut target = Target::new(|_| Reply::ok("")).await;
    let mut case = Case::get(format!("http://two.example:{}/", target.address.port()));
    case.resolver = Names::new([&["127.0.0.2", "127.0.0.1"]]);
    assert_eq!(case.run().await.end, End::Succeeded);
    target.request().await;
}

#[tokio::test]
async fn a_name_without_an_address_is_tried_again_later() {
    struct Unknown;
    #[async_trait]
    impl Resolve for Unknown {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }
    let mut case = strict("http://nobody.example/");
    case.resolver = Arc::new(Unknown);
    let done = case.run().await;
    assert_eq!(code(&done), "dns");
    assert!(matches!(done.end, End::Retry { .. }));
    let mut case = strict("http://nobody.example/");
    case.resolver = Names::new([&[]]);
    assert_eq!(code(&case.run().await), "dns");
}

#[tokio::test]
async fn connecting_has_a_time_limit_of_its_own() {
    struct Slow;
    #[async_trait]
    impl Resolve for Slow {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            std::future::pending().await
        }
    }
    let mut case = strict("http://slow.example/");
    case.resolver = Arc::new(Slow);
    case.settings.connect_timeout = Duration::from_millis(20);
    let done = case.run().await;
    assert_eq!(code(&done), "connect_timeout");
    assert!(matches!(done.end, End::Retry { .. }));
    assert!(done.attempt.duration_ms < 10_000);
}

#[tokio::test]
async fn a_refused_port_is_tried_again_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let done = Case::get(format!("http://{address}/")).run().await;
    assert_eq!(code(&done), "connect");
    assert!(message(&done).contains("127.0.0.1"), "{}", message(&done));
    assert_eq!(done.attempt.request, None, "nothing was sent");
    assert!(matches!(done.end, End::Retry { .. }));
}

#[tokio::test]
async fn connections_are_used_again() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let case = Case::get(target.url("/"));
    let worker = Worker::new(Arc::new(Values(case.values.clone())), case.settings.clone()).unwrap();
    for number in 1..=3 {
        OneShot::perform(&worker, vec![case.lease(number)]).await;
        assert_eq!(target.request().await.connection, 1);
    }
}

/// Runs itself once more, in a process whose environment names proxies that do not exist.
#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    const CHILD: &str = "PADCLOCK_TEST_WITH_PROXIES";
    if std::env::var_os(CHILD).is_none() {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "connecting::no_proxy_of_the_environment_is_used"]);
        for name in [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            child.env(name, "http://127.0.0.1:9");
        }
        let output = child.env(CHILD, "1").output().await.unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return;
    }
    let mut target = Target::new(|_| Reply::ok("")).await;
    let done = Case::get(target.url("/direct")).run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    assert_eq!(
        target.request().await.path,
        "/direct",
        "a proxy would see the absolute form"
    );
}
