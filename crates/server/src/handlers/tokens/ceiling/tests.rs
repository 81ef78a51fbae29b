//! How wide a token may be made, as tables: by whom, asked for what, and what comes of it.

use padclock_api::me::Named;
use padclock_api::{TokenId, UserId, WorkspaceId};
use padclock_store::Credential;

use super::*;
use crate::auth::Role;

const NOW: Moment = Moment::from_millis(1_000_000);

fn identity(role: Role) -> Identity {
    Identity {
        workspace: WorkspaceId::from_bytes([1; 16]),
        workspace_name: "team".to_owned(),
        user: UserId::from_bytes([2; 16]),
        user_name: "someone".to_owned(),
        role,
        by: Credential::Token(TokenId::from_bytes([3; 16])),
        by_name: "theirs".to_owned(),
        grants: String::new(),
        permissions: None,
        environment: None,
        cidrs: None,
        expires_at: None,
    }
}

/// The maker's own token, as wide as their identity is.
fn token(identity: &Identity) -> Token {
    Token {
        id: TokenId::from_bytes([3; 16]),
        name: "theirs".to_owned(),
        user: Named {
            id: identity.user.to_string(),
            name: "someone".to_owned(),
        },
        permissions: None,
        environment: identity.environment.clone(),
        cidrs: None,
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
    }
}

fn asked(fields: serde_json::Value) -> TokenCreate {
    let mut json = serde_json::json!({"name": "new"});
    json.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn made(
    identity: &Identity,
    token: &Token,
    fields: serde_json::Value,
) -> Result<Narrowed, ErrorCode> {
    let maker = Maker {
        identity,
        token: Some(token),
        now: NOW,
    };
    maker
        .narrowed(&asked(fields), None)
        .map_err(|failure| failure.code)
}

#[test]
fn what_is_left_out_is_as_wide_as_the_maker() {
    let wide = identity(Role::Editor);
    assert_eq!(
        made(&wide, &token(&wide), serde_json::json!({})),
        Ok(Narrowed::default())
    );
    let narrow = Identity {
        permissions: Some("read tokens:own".to_owned()),
        environment: Some("staging".to_owned()),
        ..identity(Role::Editor)
    };
    let own = Token {
        cidrs: Some(vec!["10.0.0.0/8".to_owned(), "192.0.2.1/32".to_owned()]),
        expires_at: Some(NOW.plus_millis(5_000)),
        ..token(&narrow)
    };
    let inherited = Narrowed {
        permissions: Some("read tokens:own".to_owned()),
        environment: Some("staging".to_owned()),
        cidrs: Some("10.0.0.0/8 192.0.2.1/32".to_owned()),
        expires_at: own.expires_at,
    };
    assert_eq!(made(&narrow, &own, serde_json::json!({})), Ok(inherited));
}

#[test]
fn nothing_is_made_wider() {
    let narrow = Identity {
        permissions: Some("read tokens:own secrets:write".to_owned()),
        environment: Some("staging".to_owned()),
        ..identity(Role::Owner)
    };
    let own = Token {
        cidrs: Some(vec!["10.0.0.0/8".to_owned()]),
        expires_at: Some(NOW.plus_millis(5_000)),
        ..token(&narrow)
    };
    let forbidden = [
        serde_json::json!({"permissions": ["read", "jobs:write"]}),
        serde_json::json!({"permissions": ["secrets:reveal"]}),
        serde_json::json!({"environment": "production"}),
        serde_json::json!({"cidrs": ["10.0.0.0/7"]}),
        serde_json::json!({"cidrs": ["10.1.0.0/16", "192.0.2.1"]}),
        serde_json::json!({"cidrs": ["::/0"]}),
        serde_json::json!({"expires_in": 6}),
        serde_json::json!({"expires_at": NOW.plus_millis(5_001)}),
    ];
    for fields in forbidden {
        let said = fields.to_string();
        assert_eq!(
            made(&narrow, &own, fields),
            Err(ErrorCode::Forbidden),
            "{said}"
        );
    }
    let within = serde_json::json!({"permissions": ["secrets:write"], "environment": "staging", "cidrs": ["10.1.0.0/16"], "expires_in": 5});
    let narrower = Narrowed {
        permissions: Some("secrets:write".to_owned()),
        environment: Some("staging".to_owned()),
        cidrs: Some("10.1.0.0/16".to_owned()),
        expires_at: Some(NOW.plus_millis(5_000)),
    };
    assert_eq!(made(&narrow, &own, within), Ok(narrower));
}

#[test]
fn a_role_bounds_its_tokens() {
    let table = [
        (Role::Viewer, "jobs:write", false),
        (Role::Editor, "jobs:write", true),
        (Role::Editor, "audit:read", false),
        (Role::Admin, "audit:read", true),
        (Role::Admin, "secrets:reveal", false),
        (Role::Owner, "secrets:reveal", true),
    ];
    for (role, word, may) in table {
        let maker = identity(role);
        let answer = made(
            &maker,
            &token(&maker),
            serde_json::json!({"permissions": [word]}),
        );
        assert_eq!(answer.is_ok(), may, "{role:?} {word}: {answer:?}");
    }
    let granted = Identity {
        grants: "secrets:reveal".to_owned(),
        ..identity(Role::Editor)
    };
    assert!(
        made(
            &granted,
            &token(&granted),
            serde_json::json!({"permissions": ["secrets:reveal"]})
        )
        .is_ok()
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let owner = identity(Role::Owner);
    let wrong = [
        serde_json::json!({"permissions": []}),
        serde_json::json!({"permissions": ["everything"]}),
        serde_json::json!({"environment": "workspace"}),
        serde_json::json!({"environment": "a b"}),
        serde_json::json!({"environment": "staging", "permissions": ["members:manage"]}),
        serde_json::json!({"cidrs": []}),
        serde_json::json!({"cidrs": ["10.0.0.1/8"]}),
        serde_json::json!({"expires_in": 0}),
        serde_json::json!({"expires_in": 1, "expires_at": NOW.plus_millis(1_000)}),
        serde_json::json!({"expires_at": NOW}),
    ];
    for fields in wrong {
        let said = fields.to_string();
        assert_eq!(
            made(&owner, &token(&owner), fields),
            Err(ErrorCode::ValidationError),
            "{said}"
        );
    }
}

#[test]
fn a_service_members_token_names_what_it_may_and_no_more_than_its_maker() {
    let holder = |role, grants: &[&str]| Member {
        user_id: UserId::from_bytes([9; 16]),
        name: "machine".to_owned(),
        email: None,
        service: true,
        role,
        grants: grants.iter().map(|&word| word.to_owned()).collect(),
        created_at: NOW,
    };
    let made = |maker: Role, holder: &Member, fields| {
        let identity = identity(maker);
        let own = token(&identity);
        let maker = Maker {
            identity: &identity,
            token: Some(&own),
            now: NOW,
        };
        let narrowed = maker.narrowed(&asked(fields), Some(holder));
        narrowed
            .map(|narrowed| narrowed.permissions.unwrap())
            .map_err(|failure| failure.code)
    };
    let none = serde_json::json!({});
    let viewer = "read secrets:own tokens:own";
    assert_eq!(
        made(Role::Admin, &holder(Role::Viewer, &[]), none.clone()),
        Ok(viewer.to_owned())
    );
    // An admin who may not reveal can't make a token that may, by way of a machine that may.
    let revealing = holder(Role::Editor, &["secrets:reveal"]);
    assert_eq!(
        made(Role::Admin, &revealing, none.clone()),
        Err(ErrorCode::Forbidden)
    );
    assert!(
        made(Role::Owner, &revealing, none)
            .unwrap()
            .contains("secrets:reveal")
    );
    let staging = serde_json::json!({"environment": "staging"});
    let words = made(Role::Admin, &holder(Role::Admin, &[]), staging).unwrap();
    assert!(
        words.contains("secrets:write") && !words.contains("members:manage"),
        "{words}"
    );
}
