//! What is proposed for jobs of each kind, and that it always allows what they do.

use padclock_api::JobId;
use padclock_api::secret::ProposedPolicy;
use padclock_job::{Anchor, Definition, Job, Kind, Moment};
use padclock_template::RequestSpec;
use padclock_vault::{Place, Target};

use super::Proposal;

fn job(url: &str, method: &str, header: &str) -> Job {
    let mut definition = Definition::new("a job", Kind::Manual);
    let mut request = RequestSpec::get(url);
    method.clone_into(&mut request.method);
    request
        .headers
        .insert("X-Key".to_owned(), header.to_owned());
    definition.request = Some(request);
    definition
        .env
        .insert("HOST".to_owned(), "of-env.example".to_owned());
    let anchor = Anchor {
        job_id: "cj_0",
        created_at: Moment::EPOCH,
    };
    Job::compile(definition, &anchor).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn proposed(jobs: &[(&str, &str)]) -> ProposedPolicy {
    let mut proposal = Proposal::default();
    for (url, method) in jobs {
        let job = job(url, method, "{{secret.KEY}}");
        let places = job.references().iter().map(|(_, place)| *place).collect();
        proposal.add((JobId::from_bytes([1; 16]), "default"), &job, places);
    }
    proposal.finish()
}

fn paths(jobs: &[(&str, &str)]) -> Vec<String> {
    proposed(jobs).egress.unwrap().path_prefixes
}

#[test]
fn one_job_needs_exactly_what_it_does() {
    let told = proposed(&[("https://api.example.com/v1/charges?x=1", "POST")]);
    let policy = told.egress.unwrap();
    assert_eq!(
        serde_json::to_value(&policy).unwrap(),
        serde_json::json!({
            "schemes": ["https"], "hosts": ["api.example.com"], "ports": [443], "methods": ["POST"],
            "path_prefixes": ["/v1/charges"], "places": ["header"]
        })
    );
    assert_eq!((told.jobs.len(), told.warnings.len()), (1, 0));
}

#[test]
fn what_changes_from_run_to_run_ends_the_path() {
    let table = [
        ("https://a.example/v1/{{execution_id}}/x", "/v1/"),
        ("https://a.example/v1/on-{{now}}", "/v1/"),
        ("https://a.example/v1/{{secret.KEY}}/x", "/v1/"),
        ("https://a.example/v1/{{job_name}}", "/v1/a%20job"),
        ("https://a.example/v1/try-{{attempt}}", "/v1/"),
        ("https://a.example/a/b|c/d", "/a/b|c/d"),
    ];
    for (url, prefix) in table {
        let told = paths(&[(url, "GET")]);
        let cut = prefix.split('|').next().unwrap();
        assert!(
            told == [prefix] || prefix.contains('|') && told[0].starts_with(&cut[..3]),
            "{url}: {told:?}"
        );
    }
    assert!(paths(&[("https://a.example/{{now}}", "GET")]).is_empty());
}

#[test]
fn several_jobs_are_joined() {
    let told = proposed(&[
        ("https://a.example/v1", "GET"),
        ("https://a.example/v1/x", "POST"),
        ("https://a.example/v1x", "GET"),
        ("https://{{env.HOST}}:8443/v1/y", "GET"),
    ]);
    let policy = told.egress.unwrap();
    assert_eq!(policy.hosts, ["a.example", "of-env.example"]);
    assert_eq!(policy.ports, [443, 8443]);
    assert_eq!(policy.methods, ["GET", "POST"]);
    assert_eq!(policy.path_prefixes, ["/v1", "/v1x"]);
    assert!(
        paths(&[
            ("https://a.example/", "GET"),
            ("https://a.example/v1", "GET")
        ])
        .is_empty()
    );
}

#[test]
fn what_can_t_be_told_is_said() {
    let told = proposed(&[("https://{{execution_id}}.example/", "GET")]);
    assert_eq!(told.egress, None);
    assert!(
        told.warnings
            .iter()
            .any(|text| text.contains("changes from run to run")),
        "{told:?}"
    );
    let nothing = Proposal::default().finish();
    assert!(nothing.egress.is_none() && nothing.warnings.len() == 1);
}

#[test]
fn what_is_proposed_is_valid_and_allows_the_jobs() {
    let urls = [
        "http://127.0.0.1:8080/hook",
        "https://[2001:db8::1]/x",
        "https://a.example/b%2fc/d",
        "https://a.example/ümlaut/x",
        "https://a.example//double",
        "https://a.example/a;b/c",
    ];
    for url in urls {
        let policy = proposed(&[(url, "GET")]).egress.unwrap();
        policy
            .validate()
            .unwrap_or_else(|problems| panic!("{url}: {problems:?}"));
        let job = job(url, "GET", "x");
        let vars = super::variables(&job, "cj_0", "default", 0);
        let to = job.request().unwrap().target(&vars).unwrap();
        let target = Target {
            scheme: to.scheme,
            host: &to.host,
            port: to.port,
            method: "GET",
            path: &to.path,
            place: Place::Header,
        };
        policy
            .check(&target)
            .unwrap_or_else(|refusal| panic!("{url}: {refusal}"));
    }
}
