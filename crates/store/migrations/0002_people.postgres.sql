-- Another root key: what it has sealed waits here until a start has proved it.
ALTER TABLE key_terms ADD COLUMN sealed_next BYTEA;
-- How many seals a term has made at most: nodes reserve them in blocks.
ALTER TABLE key_terms ADD COLUMN seals BIGINT NOT NULL DEFAULT 0;

-- What a workspace asks of its secrets and jobs, as JSON.
ALTER TABLE workspaces ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

-- A user signs in by e-mail address and password (its argon2id hash), or holds tokens only.
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN password TEXT;
CREATE UNIQUE INDEX users_email ON users (email);

-- Permissions beyond the role's, as words.
ALTER TABLE members ADD COLUMN grants TEXT NOT NULL DEFAULT '';
CREATE INDEX members_user ON members (user_id);

-- What narrows a token: permissions and ranges of addresses as words, one environment. None of them: all that its member may.
ALTER TABLE tokens ADD COLUMN permissions TEXT;
ALTER TABLE tokens ADD COLUMN environment TEXT;
ALTER TABLE tokens ADD COLUMN cidrs TEXT;
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;
CREATE INDEX tokens_workspace ON tokens (workspace_id, id);

-- Links that work once: an invitation makes a member, a set-up link gives a user who has none a password.
CREATE TABLE links (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    user_id BYTEA,
    role TEXT NOT NULL,
    email TEXT,
    lookup BYTEA NOT NULL UNIQUE,
    created_by BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX links_workspace ON links (workspace_id, id);

CREATE TABLE sessions (
    id BYTEA NOT NULL PRIMARY KEY,
    lookup BYTEA NOT NULL UNIQUE,
    user_id BYTEA NOT NULL,
    workspace_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_end ON sessions (expires_at);

-- A command line that asks for a token, until someone who is signed in confirms its code.
CREATE TABLE pairings (
    id BYTEA NOT NULL PRIMARY KEY,
    code BYTEA NOT NULL UNIQUE,
    lookup BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id BYTEA,
    workspace_id BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE environments (
    workspace_id BYTEA NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

-- When it was last told that a secret's new value is due, and for which version.
ALTER TABLE secrets ADD COLUMN due_told_version BIGINT;
CREATE INDEX secrets_end ON secrets (expires_at);
CREATE INDEX secret_versions_term ON secret_versions (term, secret_id, version);

-- When a secret was last used, and by what; the last few uses as JSON. Written in the background, never by a run.
CREATE TABLE secret_uses (
    secret_id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    execution_id BYTEA,
    job_id BYTEA,
    recent TEXT NOT NULL
);

-- What one admin asks for and another has to approve.
CREATE TABLE approvals (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    target BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    proposal TEXT NOT NULL,
    state TEXT NOT NULL,
    created_by BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by BYTEA,
    decided_at BIGINT
);
CREATE INDEX approvals_workspace ON approvals (workspace_id, id);

-- Signed heads of the audit chains.
CREATE TABLE audit_signatures (
    workspace_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tag BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

-- Which jobs name which secrets, written when a job is saved: a name may mean another secret for each owner and environment.
CREATE TABLE job_references (
    workspace_id BYTEA NOT NULL,
    name TEXT NOT NULL,
    job_id BYTEA NOT NULL,
    uri BIGINT NOT NULL,
    environment TEXT NOT NULL,
    PRIMARY KEY (workspace_id, name, job_id, uri)
);
CREATE INDEX job_references_job ON job_references (job_id);

-- A service member holds tokens only and belongs to one workspace: a machine.
ALTER TABLE users ADD COLUMN service BIGINT NOT NULL DEFAULT 0;

-- The environment whose secrets a job sees first, beside its definition: what a token of one environment may touch is looked up by it.
ALTER TABLE jobs ADD COLUMN environment TEXT NOT NULL DEFAULT 'production';
UPDATE jobs SET environment = coalesce(definition::json ->> 'environment', 'production');
