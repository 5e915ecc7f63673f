//! Tests of the core as a whole: the table, the ladder, and what must hold for any workflow.

mod answers;
mod asked;
mod comments;
mod kit;
mod ladder;
mod life;
mod machines;
mod migrate;
mod promises;
mod proof;
mod quiet;
mod random;
mod silence;
mod table;
