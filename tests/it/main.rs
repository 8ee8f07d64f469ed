//! Integration tests, all on one real MongoDB server and each on a database of its own.

#![cfg(test)]

mod access_rows;
mod answers;
mod attacks;
mod audit;
mod auth;
mod bad_input;
mod check;
mod cli;
mod concurrency;
mod counting;
mod crash;
mod deadlines;
mod deploy;
mod docs;
mod documents;
mod duplicates;
mod filters;
mod guard;
mod infer;
mod insight;
mod json_schema;
mod lists;
mod mongod;
mod outage;
mod pages;
mod plan;
mod representations;
mod roundtrip;
mod rules;
mod schema_pages;
mod service;
mod shapes;
mod startup;
mod support;
mod tidy;
mod tightening;
mod tour;
mod typed;
mod versions;
mod visibility;
mod ways;
mod writing_rules;
