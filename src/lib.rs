//! Latido: a real-time customer-sentiment stream processor.
//!
//! The rooms, in the order a message walks through them:
//!
//! | room | what happens there |
//! |---|---|
//! | [`message`] | the words everybody shares, as types |
//! | [`config`] | one struct for each room, loaded, validated, explained |
//! | [`ingest`] | Kafka in: the consumer thread, decoding, routing, dead letters, the offset ledger |
//! | [`score`] | text in, [`message::Score`] out |
//! | [`window`] | panes, windows and stream time: pure, time is an argument |
//! | [`voices`] | who wrote what: signals, customers and samples of the last 13 hours: pure |
//! | [`detect`] | baselines, tests and alert states: pure |
//! | [`checkpoint`] | state and next offsets, saved and restored together |
//! | [`publish`] | metrics and HTTP |
//! | [`pipeline`] | wires the rooms: start, drain, stop |
//! | [`letters`] | the dead-letter topic read back: listed, shown, put back where it came from |
//! | [`backtest`] | the detector over history: what would have paged, and what a budget costs |
//! | [`demo`] | a broker, a company's customers and an incident, for `latido demo` |
//! | [`commands`] | what the command line can do |
//!
//! Imports run one way, down this list's order of dependence; `ARCHITECTURE.md` is the map.

pub mod backtest;
pub mod checkpoint;
pub mod commands;
pub mod config;
pub mod demo;
pub mod detect;
pub mod ingest;
pub mod letters;
pub mod message;
pub mod pipeline;
pub mod publish;
mod sabotage;
pub mod score;
pub mod voices;
pub mod window;
