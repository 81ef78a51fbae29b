//! The program as its users meet it: the real binary, over real HTTP, on both stores. One file per subject; the first
//! eight modules are what the subjects stand on. Nothing here reaches into the crates' insides, apart from ids.
#![cfg(test)]

mod browser;
mod client;
mod curl;
mod home;
mod leaks;
mod persona;
mod persons;
mod server;
mod target;

mod api;
mod attacks;
mod audit;
mod auth_helpers;
mod bad_calls;
mod bad_definitions;
mod bad_requests;
mod bad_secrets;
mod bad_starts;
mod bad_targets;
mod echo;
mod executions;
mod full_disk;
mod hooklistener;
mod hookwatch;
mod hygiene;
mod import;
mod jobs;
mod keys;
mod kill;
mod outage;
mod own_tls;
mod pages;
mod people;
mod people_cli;
mod places;
mod policies;
mod races;
mod retries;
mod reveal;
mod routes;
mod scan;
mod tags;
mod takeover;
mod trigrun;
mod usage;
mod versions;
mod wire;
