//! The wire shape of a request: what a user posts, gets back, and what is stored. Texts are still templates here.
//! No checks live here; `request` compiles and checks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
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
        }
    }
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
