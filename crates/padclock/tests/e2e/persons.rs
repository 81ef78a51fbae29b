//! An installation with two persons: its owner, and another member whose role a test sets.

use std::sync::Arc;

use crate::client::Client;
use crate::home::{Engine, Home};
use crate::server::{Launch, Server};

const OTHERS_TOKEN: &str = "pck_e2e-others-token-0123456789";
const USER: &str = "0123456789abcdef0123456789abcdef";

/// See the module.
pub struct Persons {
    pub server: Server,
    /// Calls as the other member.
    pub other: Client,
}

fn bytes(engine: Engine, hex: &str) -> String {
    match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        Engine::Postgres => format!("'\\x{hex}'::bytea"),
    }
}

impl Persons {
    pub async fn new(engine: Engine, role: &str) -> Self {
        Self::launched(engine, role, |launch| launch).await
    }

    /// The first start's token is handed to the other member; the second start gives the owner theirs.
    pub async fn launched(engine: Engine, role: &str, how: impl FnOnce(Launch) -> Launch) -> Self {
        let home = Arc::new(Home::new(engine).await);
        home.plant("the other's token", OTHERS_TOKEN);
        let first = Launch::of(&home).env("PADCLOCK_BOOTSTRAP_TOKEN", OTHERS_TOKEN);
        first.start().await.stop().await;
        let user = bytes(engine, USER);
        home.sql(&format!(
            "INSERT INTO users (id, name, created_at) VALUES ({user}, 'other', 1);
             INSERT INTO members (workspace_id, user_id, role, created_at) SELECT id, {user}, '{role}', 1 FROM workspaces;
             UPDATE tokens SET user_id = {user}"
        ))
        .await;
        let server = how(Launch::of(&home)).start().await;
        let other = server.client.with_token(Some(OTHERS_TOKEN));
        Self { server, other }
    }

    /// Gives the other member another role.
    pub async fn role(&self, role: &str) {
        let user = bytes(self.server.home.engine, USER);
        self.server
            .home
            .sql(&format!(
                "UPDATE members SET role = '{role}' WHERE user_id = {user}"
            ))
            .await;
    }
}
