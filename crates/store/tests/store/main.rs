//! The store's tests: one suite, each test run on SQLite and on PostgreSQL.
#![cfg(test)]

mod access;
mod audit;
mod claim;
mod complete;
mod contention;
mod executions;
mod failure;
mod history;
mod idempotency;
mod jobs;
mod leases;
mod make;
mod migration;
mod misfire;
mod overlap;
mod plaintext;
mod resolve;
mod secrets;
mod world;
