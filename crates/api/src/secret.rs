//! Secrets as they are posted and answered. An answer has no field that could hold a value.

use padclock_job::Moment;
use padclock_vault::{EgressPolicy, Place, Value};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::job::JobState;
use crate::{ExecutionId, JobId, SecretId, UserId};

/// The environment name that means: serves every environment.
pub const ALL_ENVIRONMENTS: &str = "workspace";

/// A value on its way in. It can be read from JSON, and neither printed nor written.
#[derive(Debug)]
pub struct SubmittedValue(pub Value);

impl<'de> Deserialize<'de> for SubmittedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = SubmittedValue;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SubmittedValue, E> {
                Ok(SubmittedValue(Value::new(text.as_bytes().to_vec())))
            }
            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<SubmittedValue, E> {
                Ok(SubmittedValue(Value::new(text.into_bytes())))
            }
        }
        deserializer.deserialize_string(Visitor)
    }
}

impl utoipa::PartialSchema for SubmittedValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .write_only(true)
            .description(Some(
                "The secret's value: 4 bytes to 64 KiB. It is never answered.",
            ))
            .build()
            .into()
    }
}
impl ToSchema for SubmittedValue {}

/// Whose a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The workspace's: every member's jobs may name it.
    #[default]
    Workspace,
    /// Its owner's alone.
    User,
}

/// Whether a value may be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reveal {
    /// By who has the permission.
    #[default]
    Allowed,
    /// By no one, its owner included.
    Never,
}

/// `POST /v1/secrets`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretCreate {
    /// How templates name it: `[A-Za-z0-9._-]{1,128}`, not ending in a dot.
    pub name: String,
    /// The value.
    pub value: SubmittedValue,
    /// The environment it serves; absent or `workspace`: all.
    #[serde(default)]
    pub environment: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub scope: Scope,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it may be sent; absent: anywhere.
    #[serde(default)]
    pub egress: Option<EgressPolicy>,
    /// Seconds until it ends.
    #[serde(default)]
    pub ttl: Option<u64>,
    /// Whether it can be read back.
    #[serde(default)]
    pub reveal: Reveal,
    /// Allows a value under 4 bytes, which can't be masked.
    #[serde(default)]
    pub unmaskable: bool,
    /// After how many days a new value is due.
    #[serde(default)]
    pub rotate_every_days: Option<u32>,
}

/// `PUT /v1/secrets/:id`: a new value, as the next version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretReplace {
    /// The new value.
    pub value: SubmittedValue,
    /// Allows a value under 4 bytes, which can't be masked.
    #[serde(default)]
    pub unmaskable: bool,
    /// Where it may be sent from now on; absent: as before, null: anywhere. A change needs the permission `secrets:policy`.
    #[serde(default, deserialize_with = "present")]
    pub egress: Option<Option<EgressPolicy>>,
    /// Seconds until it ends, counted anew; absent: as before.
    #[serde(default)]
    pub ttl: Option<u64>,
}

/// `PATCH /v1/secrets/:id`: what is known about it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretPatch {
    /// For people; null removes it.
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<String>>,
    /// After how many days a new value is due; null: never.
    #[serde(default, deserialize_with = "present")]
    pub rotate_every_days: Option<Option<u32>>,
    /// Where it may be sent; null: anywhere. By itself: it makes an approval that a second admin decides.
    #[serde(default, deserialize_with = "present")]
    pub egress: Option<Option<EgressPolicy>>,
}

/// `GET /v1/secrets/:id/proposed-policy`: the narrowest policy under which the present jobs work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposedPolicy {
    /// The policy; null when no job names the secret in a request.
    pub egress: Option<EgressPolicy>,
    /// The jobs that it was made of.
    pub jobs: Vec<NamedJob>,
    /// What could not be told, or deserves a look.
    pub warnings: Vec<String>,
}

/// A job, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedJob {
    /// Its id.
    pub id: crate::JobId,
    /// Its name.
    pub name: String,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A secret as answered: its name and what is known about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    /// Its id.
    pub id: SecretId,
    /// How templates name it.
    pub name: String,
    /// The environment it serves; `workspace`: all.
    pub environment: String,
    /// When it was made.
    pub created_at: Moment,
    /// The key term that seals the current version: `v1` at first.
    pub key_version: String,
    /// Whose it is.
    pub scope: Scope,
    /// For people.
    pub description: Option<String>,
    /// Where it may be sent; null: anywhere.
    pub egress: Option<EgressPolicy>,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Whether it can be read back.
    pub reveal: Reveal,
    /// Whether its value is too short to be masked.
    pub unmaskable: bool,
    /// After how many days a new value is due.
    pub rotate_every_days: Option<u32>,
    /// The current version's number, from 1.
    pub version: u32,
    /// When its value or metadata last changed.
    pub updated_at: Moment,
    /// When its value last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Moment>,
    /// When its next value is due.
    #[serde(default)]
    pub rotation_due_at: Option<Moment>,
    /// For how many whole days it has been due; in the list of what is due only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_days: Option<u32>,
    /// What its owner should know.
    pub warnings: Vec<String>,
}

/// `GET /v1/secrets/:id/value`: a value read back. It can be read from JSON, and neither printed nor written.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Revealed {
    /// The secret's id.
    pub id: SecretId,
    /// How templates name it.
    pub name: String,
    /// The value.
    #[schema(value_type = String)]
    pub value: SubmittedValue,
    /// When it was opened.
    pub decrypted_at: Moment,
}

/// Which of a secret's versions one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// The one that is used.
    Current,
    /// The one before it, kept until it is retired or the value is replaced again.
    Previous,
}

/// A version of a secret, as `GET /v1/secrets/:id/versions` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretVersion {
    /// From 1; it only grows.
    pub number: u32,
    /// When it was made.
    pub created_at: Moment,
    /// The key term that seals it.
    pub key_version: String,
    /// Which one it is.
    pub state: VersionState,
}

/// A use of a secret by an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretUsed {
    /// The execution.
    pub execution: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// When it took the secret.
    pub at: Moment,
}

/// A job that names a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretUser {
    /// The job.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// What it does now.
    pub state: JobState,
    /// Whose it is: the owner's own secrets come before the workspace's.
    pub owner: UserId,
    /// The environment whose secrets it sees first.
    pub environment: String,
    /// Where it names the secret.
    pub places: Vec<Place>,
    /// Whether the name means this very secret, for this job and now: another of that name may come before it.
    pub resolves_here: bool,
}

/// `GET /v1/secrets/:id/usage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretUsage {
    /// The jobs that name it, a page of them, oldest first.
    pub jobs: Vec<SecretUser>,
    /// The automations that name it.
    pub automations: Vec<SecretUser>,
    /// When an execution took it last. It is written down every few seconds.
    pub last_used_at: Option<Moment>,
    /// That execution.
    pub last_execution: Option<ExecutionId>,
    /// The last few executions that took it, newest first.
    pub executions: Vec<SecretUsed>,
    /// Where the next page of jobs begins; null at the end.
    pub next_cursor: Option<String>,
}
