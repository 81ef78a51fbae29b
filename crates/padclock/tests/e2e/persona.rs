//! Who may call: nobody, someone of another workspace, and a member of each role, each with a client of their own.

use serde_json::{Value, json};

use crate::client::{Client, word};
use crate::server::Server;

/// One client for each kind of caller.
#[derive(Debug)]
pub struct Personas {
    /// Without a token.
    pub nobody: Client,
    /// An admin of another workspace, who may reveal there.
    pub stranger: Client,
    pub viewer: Client,
    pub editor: Client,
    pub admin: Client,
    /// Whose token the server was started with.
    pub owner: Client,
}

impl Personas {
    pub async fn of(server: &Server) -> Self {
        let elsewhere = elsewhere(server).await;
        let (user, _) = member(&elsewhere, "admin").await;
        // Nothing is kept from them for want of a permission.
        let all = json!({"grants": ["secrets:reveal"]});
        let path = format!("/v1/members/{user}");
        elsewhere.patch(&path, &all).await.expect(200);
        let reveals = json!({"name": "reveals", "for_user": user});
        let stranger = token(&elsewhere, reveals).await.1;
        Self {
            nobody: server.client.with_token(None),
            stranger,
            viewer: member(&server.client, "viewer").await.1,
            editor: member(&server.client, "editor").await.1,
            admin: member(&server.client, "admin").await.1,
            owner: server.client.clone(),
        }
    }

    /// With their names, from the least to the most.
    pub fn all(&self) -> [(&'static str, &Client); 6] {
        [
            ("nobody", &self.nobody),
            ("stranger", &self.stranger),
            ("viewer", &self.viewer),
            ("editor", &self.editor),
            ("admin", &self.admin),
            ("owner", &self.owner),
        ]
    }
}

/// Another workspace's owner.
pub async fn elsewhere(server: &Server) -> Client {
    let new = json!({"name": "elsewhere", "token_name": "elsewhere"});
    let made = server.client.post("/v1/workspaces", &new).await.expect(201);
    server.client.with_token(Some(word(&made.json(), "token")))
}

/// A new service member of the client's workspace with this role: their id, and a client of theirs.
pub async fn member(admin: &Client, role: &str) -> (String, Client) {
    let new = json!({"name": format!("a machine that is {role}"), "role": role});
    let made = admin.post("/v1/members", &new).await.expect(201).json();
    let user = word(&made, "user_id").to_owned();
    let client = token(admin, json!({"name": role, "for_user": user}))
        .await
        .1;
    (user, client)
}

/// A new token made by the client: its id, and a client that uses it.
pub async fn token(maker: &Client, new: Value) -> (String, Client) {
    let made = maker.post("/v1/tokens", &new).await.expect(201).json();
    let client = maker.with_token(Some(word(&made, "token")));
    (word(&made, "id").to_owned(), client)
}
