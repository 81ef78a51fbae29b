//! `PATCH /v1/jobs/:id`: a job's new definition, made of the old one and what is to change.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use padclock_api::ids::JobKind;
use padclock_api::job::{Job as Answered, JobState};
use padclock_api::{ErrorEnvelope, UserId};
use padclock_job::{Definition, Job};
use padclock_store::{JobEdit, StoreError};

use super::{compile, one, refuse_the_past, whole};
use crate::auth::{Caller, WriteJobs, of_job};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Body, PathId, if_match, parse_value};
use crate::plaintext;
use crate::state::App;

/// Changes a job: a JSON merge patch (RFC 7386) on its definition.
#[utoipa::path(patch, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path,)), request_body = Definition,
    responses((status = 200, body = Answered), (status = 400, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<JobKind>,
    headers: HeaderMap,
    body: Body<serde_json::Map<String, serde_json::Value>>,
) -> Answer<Response> {
    if body.value.contains_key("state") {
        return Err(Failure::field(
            "state",
            "unknown_field",
            "use POST /v1/jobs/ID/pause or /resume",
        ));
    }
    let before = one(&app, &caller, id).await?;
    let expected = if_match(&headers)?.unwrap_or(before.revision);
    // What is merged below was read at this revision.
    if expected != before.revision {
        return Err(stored("job")(StoreError::Changed));
    }
    let internal = |_| {
        Failure::new(
            padclock_api::ErrorCode::Internal,
            "the stored job can't be read",
        )
    };
    let mut merged = serde_json::to_value(&before.definition).map_err(internal)?;
    // The times of another kind of schedule are none of the new one's.
    let kind_before = merged.get("kind").cloned();
    if body
        .value
        .get("kind")
        .is_some_and(|kind| Some(kind) != kind_before.as_ref())
        && let Some(fields) = merged.as_object_mut()
    {
        fields.remove("schedule");
    }
    merge(&mut merged, serde_json::Value::Object(body.value));
    let definition: Definition = parse_value(merged)?;
    caller.may_use_environment(of_job(&definition))?;
    let reschedule = definition.kind != before.definition.kind
        || definition.schedule != before.definition.schedule;
    let job = compile(definition, id, before.created_at)?;
    let asked = app.store.workspace_settings(caller.workspace()).await;
    let refuse = asked.map_err(stored("workspace"))?.refuse_plaintext_secrets;
    plaintext::check(job.definition(), refuse)?;
    if reschedule {
        let now = app.store.now().await.map_err(stored("job"))?;
        refuse_the_past(&job, now, before.state == JobState::Paused)?;
    }
    let owner = owner_after(&before.definition, &job, (before.owner, caller.user()));
    let edit = JobEdit {
        job,
        reschedule,
        owner,
        expected,
    };
    let row = app
        .store
        .edit_job(caller.workspace(), id, edit, caller.actor())
        .await
        .map_err(stored("job"))?;
    app.work.notify_one();
    whole(&app, row, StatusCode::OK).await
}

/// Whose the job is after an edit. A job resolves its owner's own secrets, so one that several have written is nobody's: neither
/// steers the other's secrets, and the workspace's serve it as before. Words for people change nothing of that; the name does, for
/// a template may send it.
fn owner_after(before: &Definition, job: &Job, (owner, editor): (UserId, UserId)) -> UserId {
    let sent = |definition: &Definition| Definition {
        description: None,
        tags: Vec::default(),
        state: None,
        ..definition.clone()
    };
    if sent(before) == sent(job.definition()) {
        owner
    } else if owner == editor {
        editor
    } else {
        NOBODY
    }
}

/// The owner of a job that several members have written: no secret is this one's own.
const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// RFC 7386, section 2.
fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    use serde_json::Value;
    match patch {
        Value::Object(fields) => {
            if !target.is_object() {
                *target = Value::Object(serde_json::Map::new());
            }
            let Value::Object(into) = target else { return };
            for (name, value) in fields {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        other => *target = other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn merging_follows_the_examples_of_rfc_7386() {
        let table = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ];
        for (mut target, patch, expected) in table {
            let said = format!("{target} with {patch}");
            merge(&mut target, patch);
            assert_eq!(target, expected, "{said}");
        }
    }
}
