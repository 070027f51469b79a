//! Nodes with real sockets on port 0: every door, a federation of three, passes, and the process itself.

mod answers;
mod burnt;
mod charters;
mod clients;
mod counts;
mod dated_keys;
mod epochs;
mod forward;
mod forward_hostile;
mod hardened;
mod hostile;
mod observed;
mod passes;
mod pressure;
mod process;
mod provers;
mod receipts;
mod receipts_cut;
mod recover;
mod recover_forked;
mod recover_hostile;
mod residents;
mod retention;
mod revocations;
mod rule_books;
mod sample;
mod sample_trail;
mod sources;
mod streams;
mod swap;
mod table;
#[cfg(feature = "otel")]
mod traces;
mod transparency;
mod upkeep;
mod world;
