//! The wire shape of a request: what a user posts, gets back, and what is stored. Texts are still templates here.
//! No checks live here; `request` compiles and checks.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// An HTTP request as a user writes it. All texts may hold references (the references contract).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// Absolute `http` or `https` URL, at most 8 KiB. A secret may stand in its path and query only.
    pub url: String,
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    #[serde(default = "default_method")]
    pub method: String,
    /// Header names and values, 32 KiB in all.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Parameters appended to the URL's own query; names are literal.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// A text is sent as it stands (by position when the content type is JSON or a form); anything else is sent as JSON, or as a form
    /// when the content type says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
    /// Makes the `Authorization` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
    /// Seconds until an attempt is given up: 1 to 300.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u32,
    /// Response statuses that count as success: 100 to 599.
    #[serde(default = "default_statuses")]
    pub success_statuses: Vec<u16>,
    /// Whether redirects are followed; nothing secret goes to another origin.
    #[serde(default)]
    pub follow_redirects: bool,
    /// The name of a secret that signs the request by Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    /// `{"secret": name}` is read too.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "name_or_object"
    )]
    pub sign_with: Option<String>,
}

/// How the `Authorization` header is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthSpec {
    /// User and password (RFC 7617).
    Basic {
        /// The user; it can hold no colon.
        username: String,
        /// The password.
        password: String,
    },
    /// A bearer token (RFC 6750).
    Bearer {
        /// The token alone, without `Bearer `.
        token: String,
    },
    /// AWS Signature Version 4, made of the finished request.
    Awsv4(AwsSignature),
    /// A bearer token that is asked for with the client's own credentials (RFC 6749 section 4.4).
    Oauth2ClientCredentials(ClientCredentials),
}

/// What an AWS signature is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSignature {
    /// The id of the access key.
    pub access_key_id: String,
    /// The access key itself.
    pub secret_access_key: String,
    /// Of temporary credentials: sent as `X-Amz-Security-Token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// Such as `eu-central-1`.
    pub region: String,
    /// The service's name in signatures, such as `s3` or `execute-api`.
    pub service: String,
}

/// What an access token is asked for with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCredentials {
    /// Absolute URL of the token endpoint; it holds no secret. The client's credentials go there, and not to the request's target.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// What the token is to allow: words separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whom the token is for, where the endpoint asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How the client's credentials are sent.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// How a client shows its credentials to a token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the `Authorization` header.
    #[default]
    Basic,
    /// In the body.
    Post,
}

impl RequestSpec {
    /// A GET of this URL with every default.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: default_method(),
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            body: None,
            auth: None,
            timeout_seconds: default_timeout(),
            success_statuses: default_statuses(),
            follow_redirects: false,
            sign_with: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    secret: String,
}

struct NameOrObject;

impl<'de> Visitor<'de> for NameOrObject {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a secret")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Some(name.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let named = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Some(named.secret))
    }
}

fn name_or_object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    from.deserialize_any(NameOrObject)
}

fn default_method() -> String {
    "GET".to_owned()
}

fn default_timeout() -> u32 {
    30
}

fn default_statuses() -> Vec<u16> {
    vec![200, 201, 202, 204]
}
