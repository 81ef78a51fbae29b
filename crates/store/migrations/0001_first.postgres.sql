-- Keys: only sealed material. The root key is never here.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE key_terms (
    term BIGINT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

-- People and what they may reach.
CREATE TABLE workspaces (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secrets_revision BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    workspace_id BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);

CREATE TABLE tokens (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    name TEXT NOT NULL,
    lookup BYTEA NOT NULL UNIQUE,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);

-- Secrets: names and metadata here, sealed values beside. An owner of no bytes means: the workspace's.
CREATE TABLE secrets (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    owner_id BYTEA NOT NULL,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    description TEXT,
    egress TEXT,
    expires_at BIGINT,
    reveal TEXT NOT NULL,
    unmaskable BIGINT NOT NULL,
    short BIGINT NOT NULL,
    rotate_every_days BIGINT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX secrets_name ON secrets (workspace_id, name, environment, owner_id);

CREATE TABLE secret_versions (
    secret_id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    term BIGINT NOT NULL,
    origin_term BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    ciphertext BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (secret_id, version)
);

-- Jobs: written when someone edits them, never by a run.
CREATE TABLE jobs (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    owner_id BYTEA NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    definition TEXT NOT NULL
);
CREATE INDEX jobs_workspace ON jobs (workspace_id, id);

-- The due index: one narrow row for each job that will run by itself.
CREATE TABLE due (
    job_id BYTEA NOT NULL PRIMARY KEY,
    run_at BIGINT NOT NULL,
    scheduled_for BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX due_run_at ON due (run_at);

-- Executions that are not over. `wake_at` is when the row next needs a node: at once when queued, at the next
-- attempt when waiting, at the end of the lease when running, never while it stands behind another of its job.
CREATE TABLE open_executions (
    id BYTEA NOT NULL PRIMARY KEY,
    wake_at BIGINT NOT NULL,
    job_id BYTEA NOT NULL,
    workspace_id BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    scheduled_for BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    attempt BIGINT NOT NULL,
    attempt_started_at BIGINT,
    fence BIGINT NOT NULL,
    node TEXT,
    cancel_requested BIGINT NOT NULL DEFAULT 0,
    replay_of BYTEA,
    secrets TEXT,
    unresolved TEXT,
    warnings TEXT,
    attempts TEXT
);
CREATE INDEX open_executions_wake ON open_executions (wake_at);
CREATE INDEX open_executions_job ON open_executions (job_id);

-- History. The wide column comes last, so that lists never read it.
CREATE TABLE executions (
    workspace_id BYTEA NOT NULL,
    id BYTEA NOT NULL,
    job_id BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    cause TEXT NOT NULL,
    status TEXT NOT NULL,
    scheduled_for BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT NOT NULL,
    attempt_count BIGINT NOT NULL,
    reason TEXT,
    node TEXT,
    replay_of BYTEA,
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
    workspace_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    tag BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

CREATE TABLE audit_heads (
    workspace_id BYTEA NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    tag BYTEA NOT NULL
);

-- Answers to repeated creations that bear the same Idempotency-Key.
CREATE TABLE idempotency (
    workspace_id BYTEA NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    target BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Rows of these two live for seconds: leave room in each page and clean up early.
ALTER TABLE due SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
ALTER TABLE open_executions SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
