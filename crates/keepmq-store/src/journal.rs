//! The journal: one log on disk for everything, and an index that tells where each living record is.

mod cache;
mod files;
mod frame;
mod header;
mod index;
mod live;
mod place;
mod reader;
mod rebuild;
mod record;
mod seal;
mod segment;
mod state;
mod table;
mod walk;
mod young;
