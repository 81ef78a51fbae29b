-- Keys: only sealed material. The root key is never here.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE key_terms (
    term INTEGER NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
);

-- People and what they may reach.
CREATE TABLE workspaces (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secrets_revision INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE members (
    workspace_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) WITHOUT ROWID;

CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    name TEXT NOT NULL,
    lookup BLOB NOT NULL UNIQUE,
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Secrets: names and metadata here, sealed values beside. An owner of no bytes means: the workspace's.
CREATE TABLE secrets (
    id BLOB NOT NULL PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    description TEXT,
    egress TEXT,
    expires_at INTEGER,
    reveal TEXT NOT NULL,
    unmaskable INTEGER NOT NULL,
    short INTEGER NOT NULL,
    rotate_every_days INTEGER,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX secrets_name ON secrets (workspace_id, name, environment, owner_id);

CREATE TABLE secret_versions (
    secret_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    term INTEGER NOT NULL,
    origin_term INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (secret_id, version)
) WITHOUT ROWID;

-- Jobs: written when someone edits them, never by a run.
CREATE TABLE jobs (
    id BLOB NOT NULL PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    definition TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX jobs_workspace ON jobs (workspace_id, id);

-- The due index: one narrow row for each job that will run by itself.
CREATE TABLE due (
    job_id BLOB NOT NULL PRIMARY KEY,
    run_at INTEGER NOT NULL,
    scheduled_for INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX due_run_at ON due (run_at);

-- Executions that are not over. `wake_at` is when the row next needs a node: at once when queued, at the next
-- attempt when waiting, at the end of the lease when running, never while it stands behind another of its job.
CREATE TABLE open_executions (
    id BLOB NOT NULL PRIMARY KEY,
    wake_at INTEGER NOT NULL,
    job_id BLOB NOT NULL,
    workspace_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    scheduled_for INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    attempt INTEGER NOT NULL,
    attempt_started_at INTEGER,
    fence INTEGER NOT NULL,
    node TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    replay_of BLOB,
    secrets TEXT,
    unresolved TEXT,
    warnings TEXT,
    attempts TEXT
) WITHOUT ROWID;
CREATE INDEX open_executions_wake ON open_executions (wake_at);
CREATE INDEX open_executions_job ON open_executions (job_id);

-- History. The wide column comes last, so that lists never read it.
CREATE TABLE executions (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    job_id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    scheduled_for INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER NOT NULL,
    attempt_count INTEGER NOT NULL,
    reason TEXT,
    node TEXT,
    replay_of BLOB,
    job_name TEXT NOT NULL,
    secrets TEXT,
    unresolved TEXT,
    warnings TEXT,
    attempts TEXT
);
CREATE UNIQUE INDEX executions_id ON executions (workspace_id, id);
CREATE INDEX executions_job ON executions (job_id, id);
-- What someone looks for among much that went well.
CREATE INDEX executions_failed ON executions (workspace_id, id) WHERE status IN ('failed', 'lost');

-- The audit chain, one per workspace: each tag covers the record and the tag before it.
CREATE TABLE audit (
    workspace_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    tag BLOB NOT NULL,
    PRIMARY KEY (workspace_id, seq)
) WITHOUT ROWID;

CREATE TABLE audit_heads (
    workspace_id BLOB NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    tag BLOB NOT NULL
) WITHOUT ROWID;

-- Answers to repeated creations that bear the same Idempotency-Key.
CREATE TABLE idempotency (
    workspace_id BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    target BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);
