//! Why a daemon does not start.

use std::net::SocketAddr;

use upline::Error;
use upline::dsl::Checked;
use upline::store::StoreError;

use crate::folder::FolderError;
use crate::keyfile::KeyFileError;

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Others could reach it, and there are no tokens.
    #[error("`{listen}` is reached by others, and there are no tokens")]
    NoTokens {
        /// The address.
        listen: SocketAddr,
    },
    /// Others could reach it, and tokens would go over the network as they are.
    #[error(
        "`{listen}` is reached by others, and there is no TLS here: tokens could be read on the way"
    )]
    NoTls {
        /// The address.
        listen: SocketAddr,
    },
    /// The address can't be had.
    #[error("cannot listen on `{listen}`: {error}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// A section of the settings names what can't be had.
    #[error("`[{section}]`: {why}")]
    Section {
        /// Which.
        section: &'static str,
        /// What is wrong, a line for the operator.
        why: String,
    },
    /// Sections of the settings name what can't be used.
    #[error("{}", .0.join("\n"))]
    Sections(Vec<String>),
    /// The folder of workflows can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The files have mistakes, and there are none from before that could go on.
    #[error("the workflows can't be run")]
    Files(Box<Checked>),
    /// There is no directory among the files, and none from before.
    #[error("there is no directory among the files: nobody could be asked")]
    NoDirectory,
    /// The data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the daemon's own, in the data folder.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] upline::StartError),
    /// The engine refused the files.
    #[error(transparent)]
    Refused(#[from] Error),
}
