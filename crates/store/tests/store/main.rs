//! The store's tests: one suite, each test run on SQLite and on PostgreSQL.
#![cfg(test)]

mod access;
mod audit;
mod audit_verify;
mod cancel;
mod claim;
mod complete;
mod contention;
mod executions;
mod failure;
mod history;
mod idempotency;
mod jobs;
mod keys;
mod leases;
mod locks;
mod make;
mod migration;
mod misfire;
mod overlap;
mod overview;
mod plaintext;
mod policies;
mod references;
mod resolve;
mod rollback;
mod scan;
mod secrets;
mod sweep;
mod uses;
mod versions;
mod world;
