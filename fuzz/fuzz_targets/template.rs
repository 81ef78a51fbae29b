//! Any bytes as a template and as the value that is filled in: nothing panics, what was parsed prints back, and what is rendered stays
//! within the structure around it.
#![no_main]
#![expect(
    clippy::disallowed_methods,
    reason = "the fuzz target looks at what was rendered"
)]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use padclock_template::{
    CompileOptions, Found, Request, RequestSpec, SecretRef, Secrets, Syntax, Template, Variables,
};
use padclock_vault::Value;

/// Every secret has the same value.
struct Same(Value);

impl Secrets for Same {
    fn get(&self, _: &SecretRef) -> Found<'_> {
        Found::Value(&self.0)
    }
}

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (text, content_type, value) = input;
    for secret_uri in [false, true] {
        if let Ok(template) = Template::parse(text, Syntax { secret_uri }) {
            assert_eq!(template.to_string(), text);
        }
    }
    for spec in [
        url(text),
        path(text),
        body(text, content_type),
        body(text, "application/json"),
    ] {
        attempt(&spec, text, value);
    }
});

fn url(text: &str) -> RequestSpec {
    RequestSpec::get(text)
}

fn path(text: &str) -> RequestSpec {
    let mut spec = RequestSpec::get(format!("https://h.example/{text}"));
    spec.headers.insert("X-Test".to_owned(), text.to_owned());
    spec.query.insert(text.to_owned(), text.to_owned());
    spec
}

fn body(text: &str, content_type: &str) -> RequestSpec {
    let mut spec = RequestSpec::get("https://h.example/");
    spec.headers
        .insert("Content-Type".to_owned(), content_type.to_owned());
    spec.body = Some(text.into());
    spec
}

fn attempt(spec: &RequestSpec, text: &str, value: &[u8]) {
    let options = CompileOptions {
        secret_uri_everywhere: true,
        field: "request",
    };
    let Ok(request) = Request::compile(spec, options) else {
        return;
    };
    let env = BTreeMap::from([("V".to_owned(), text.to_owned())]);
    let vars = Variables {
        now: "2026-03-09T15:00:00Z",
        now_unix: 1_773_068_400,
        last_run: "",
        job_name: text,
        job_id: "cj_1",
        execution_id: "exec_1",
        random_uuid: "550e8400-e29b-41d4-a716-446655440000",
        scheduled_for: "2026-03-09T15:00:00.000Z",
        environment: "",
        workspace: "default",
        attempt: 1,
        attempt_unix: 1_773_068_400,
        env: &env,
    };
    if let Ok(rendered) = request.render(&vars, &Same(Value::new(value))) {
        assert!(request.target(&vars).is_ok());
        assert!(rendered.url.expose().is_ascii());
        let controls = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
        assert!(
            !rendered
                .headers
                .iter()
                .any(|line| line.value.expose().iter().any(controls))
        );
    }
}
