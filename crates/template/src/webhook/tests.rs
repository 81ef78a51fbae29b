//! The specification's own vector, and which keys secrets are.

use padclock_vault::Value;

use super::*;
use crate::expression::{RefSyntax, SecretRef};
use crate::fill::{Found, Secrets};
use crate::{CompileOptions, Request, RequestSpec};

struct One(Value);

impl Secrets for One {
    fn get(&self, reference: &SecretRef) -> Found<'_> {
        assert_eq!(
            (reference.name.as_str(), reference.syntax),
            ("KEY", RefSyntax::Braces)
        );
        Found::Value(&self.0)
    }
}

/// The three headers, and how many things the redactor is told.
fn signed(secret: &str) -> Result<(Vec<String>, usize), RenderError> {
    let spec = RequestSpec {
        method: "POST".to_owned(),
        body: Some(r#"{"test": 2432232314}"#.into()),
        sign_with: Some("KEY".to_owned()),
        ..RequestSpec::get("https://example.com/hook")
    };
    let options = CompileOptions {
        secret_uri_everywhere: false,
        field: "request",
    };
    let request = Request::compile(&spec, options).unwrap();
    let env = std::collections::BTreeMap::new();
    let vars = Variables {
        execution_id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        attempt_unix: 1_614_265_330,
        ..Variables::of_env(&env)
    };
    let secrets = One(Value::new(secret));
    let mut filler = Filler::new(&vars, &secrets);
    let mut lines = Vec::new();
    let key = request.sign_with.as_ref().unwrap();
    sign(
        &mut filler,
        &vars,
        key,
        br#"{"test": 2432232314}"#,
        &mut lines,
    )?;
    let shown = |line: &Line| {
        let value = String::from_utf8(line.value.as_slice().to_vec()).unwrap();
        format!("{}: {value} {}", line.name, line.sensitive)
    };
    Ok((lines.iter().map(shown).collect(), filler.derived.len()))
}

#[test]
fn the_vector_of_the_specification() {
    let (lines, derived) = signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert_eq!(
        lines,
        [
            "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek false",
            "webhook-timestamp: 1614265330 false",
            "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= true",
        ]
    );
    assert_eq!(derived, 3, "the decoded key, the signature, and the header");
}

#[test]
fn padding_and_white_space_around_a_key_do_not_count() {
    let expected = signed("whsec_c2l4dGVlbi1ieXRlcy1vaw==").unwrap();
    for same in [
        "whsec_c2l4dGVlbi1ieXRlcy1vaw",
        "whsec_c2l4dGVlbi1ieXRlcy1vaw==\n",
    ] {
        assert_eq!(signed(same).unwrap().0, expected.0, "{same:?}");
    }
    // Without the prefix the text is the key, and there is nothing to decode.
    assert_eq!(signed("sixteen-bytes-ok").unwrap(), (expected.0, 2));
}

#[test]
fn a_prefix_without_a_key_is_refused() {
    for bad in ["whsec_", "whsec_%%%%", "whsec_ "] {
        let error = signed(bad).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().contains("KEY")),
            ("auth_invalid", true)
        );
        assert!(!error.to_string().contains("%%"), "{error}");
    }
}
