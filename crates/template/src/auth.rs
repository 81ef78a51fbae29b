//! What `auth` and `sign_with` say, at save time: their fields compiled and checked. How they are carried out is in `authorize`,
//! `webhook` and `token`.

use padclock_vault::Place;

use crate::address::compile_address;
use crate::compile::{Compiler, Field, Rules, verbatim};
use crate::escape::{bad_header_byte, percent};
use crate::expression::{Expression, secret_named};
use crate::header::{Header, refuse_made};
use crate::piece::{Encoding, Text};
use crate::spec::{AuthSpec, AwsSignature, ClientCredentials};
use crate::token::TokenRequest;

/// Compiled `auth`.
#[derive(Debug)]
pub(crate) enum Auth {
    Basic { username: Text, password: Text },
    Bearer { token: Text },
    Aws(Box<Aws>),
    Token(Box<TokenRequest>),
}

/// Compiled `auth.awsv4`.
#[derive(Debug)]
pub(crate) struct Aws {
    pub access_key_id: Text,
    pub secret_access_key: Text,
    pub session_token: Option<Text>,
    pub region: Text,
    pub service: Text,
}

const CREDENTIAL: Rules = Rules {
    literal: verbatim,
    encoding: Encoding::Raw,
    place: Place::Auth,
    secret_uri: false,
};

/// A credential or another parameter of a token request, form-encoded in the header too (RFC 6749 section 2.3.1).
const TOKEN_PARAMETER: Rules = Rules {
    literal: percent,
    encoding: Encoding::Percent,
    ..CREDENTIAL
};

/// The headers that each signature makes.
const AWS_HEADERS: [&str; 3] = ["X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"];
const WEBHOOK_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// Compiles `auth` beside these headers; nothing when there is a problem that leaves none.
pub(crate) fn compile_auth(
    compiler: &mut Compiler<'_>,
    auth: &AuthSpec,
    headers: &[Header],
) -> Option<Auth> {
    let explicit = headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("authorization"));
    if explicit {
        let message = "the headers have an Authorization of their own: leave that or auth out";
        compiler.problem(Field::new("auth", ""), "conflict", None, message);
    }
    match auth {
        AuthSpec::Basic { username, password } => Some(basic(compiler, username, password)),
        AuthSpec::Bearer { token } => Some(Auth::Bearer {
            token: credential(compiler, Field::new("auth.bearer", "token"), token),
        }),
        AuthSpec::Awsv4(spec) => {
            refuse_made(compiler, headers, &AWS_HEADERS, "auth.awsv4");
            Some(Auth::Aws(Box::new(aws(compiler, spec))))
        }
        AuthSpec::Oauth2ClientCredentials(spec) => {
            token(compiler, spec).map(|token| Auth::Token(Box::new(token)))
        }
    }
}

fn basic(compiler: &mut Compiler<'_>, username: &str, password: &str) -> Auth {
    let user_field = Field::new("auth.basic", "username");
    let username = credential(compiler, user_field, username);
    // RFC 7617: the first colon ends the user, so the user can hold none.
    if username.has_static_byte(b':') {
        let message = "the user of basic auth can hold no colon";
        compiler.problem(user_field, "bad_username", None, message);
    }
    let password = credential(compiler, Field::new("auth.basic", "password"), password);
    Auth::Basic { username, password }
}

fn credential(compiler: &mut Compiler<'_>, field: Field<'_>, text: &str) -> Text {
    if let Some(position) = bad_header_byte(text.as_bytes()) {
        let message = "credentials hold no line breaks or other control characters";
        compiler.problem(field, "bad_header_value", Some(position), message);
    }
    if field.name != "password" {
        required(compiler, field, text);
    }
    compiler.text(field, text, &CREDENTIAL)
}

fn required(compiler: &mut Compiler<'_>, field: Field<'_>, text: &str) {
    if text.is_empty() {
        compiler.problem(field, "required", None, "it can't be empty");
    }
}

fn aws(compiler: &mut Compiler<'_>, spec: &AwsSignature) -> Aws {
    let mut text = |name, text: &str| credential(compiler, Field::new("auth.awsv4", name), text);
    Aws {
        access_key_id: text("access_key_id", &spec.access_key_id),
        secret_access_key: text("secret_access_key", &spec.secret_access_key),
        session_token: spec
            .session_token
            .as_deref()
            .map(|token| text("session_token", token)),
        region: text("region", &spec.region),
        service: text("service", &spec.service),
    }
}

fn token(compiler: &mut Compiler<'_>, spec: &ClientCredentials) -> Option<TokenRequest> {
    const SECTION: &str = "auth.oauth2_client_credentials";
    const URL: Field<'static> = Field::new(SECTION, "token_url");
    let address = compile_address(
        compiler,
        URL,
        &spec.token_url,
        &std::collections::BTreeMap::new(),
    );
    let in_url = |address: &crate::address::Address| {
        address.path.first_secret().is_some() || address.query.first_secret().is_some()
    };
    if address.as_ref().is_some_and(in_url) {
        let message = "the token's URL holds no secret: the client's credentials go by client_auth";
        compiler.problem(URL, "secret_in_token_url", None, message);
    }
    let mut parameter = |name, text: &str| {
        let field = Field::new(SECTION, name);
        required(compiler, field, text);
        compiler.text(field, text, &TOKEN_PARAMETER)
    };
    let id = parameter("client_id", &spec.client_id);
    let secret = parameter("client_secret", &spec.client_secret);
    let mut form = Text::default();
    form.push_static(b"grant_type=client_credentials");
    for (name, value) in [("scope", &spec.scope), ("audience", &spec.audience)] {
        if let Some(value) = value {
            form.push_static(format!("&{name}=").as_bytes());
            form.append(parameter(name, value));
        }
    }
    address.map(|address| TokenRequest {
        address,
        id,
        secret,
        form,
        by: spec.client_auth,
    })
}

/// Compiles `sign_with`: the key as a text that is that secret alone.
pub(crate) fn compile_sign_with(
    compiler: &mut Compiler<'_>,
    name: &str,
    headers: &[Header],
) -> Text {
    let field = Field::new("", "sign_with");
    refuse_made(compiler, headers, &WEBHOOK_HEADERS, "sign_with");
    let mut key = Text::default();
    if name.starts_with("{{") || name.starts_with("secret://") {
        let message = "sign_with is the name of a secret alone, such as WEBHOOK_KEY";
        compiler.problem(field, "bad_name", Some(0), message);
        return key;
    }
    match secret_named(name, 0) {
        Ok(reference) => {
            let expression = Expression::secret(reference);
            // A signature is a header made of the secret, so the policy is asked about that place.
            compiler.note(field, &expression, 0, Place::Header);
            key.push_dynamic(expression, Encoding::Raw);
        }
        Err(error) => compiler.problem(field, error.code, Some(error.position), error.message),
    }
    key
}
