//! The wheel archive: its members, METADATA, WHEEL and RECORD; reading and writing.
//!
//! This crate knows the zip container as far as wheels use it, where things lie in a wheel, and the three texts of
//! its `.dist-info`. It must not know what is inside any other member: to it a library is bytes with a name. It does
//! not judge either: what is wrong becomes a value ([`Problem`], [`TextProblem`], [`RecordFault`]), and whoever
//! holds the rules decides how bad that is.
//!
//! Nothing here trusts the file. Every offset, count and size of the archive is checked against the bytes that are
//! there before it is used, so that no input makes the program panic, loop, or use memory out of proportion.
#![deny(unsafe_code)]

mod archive;
mod dist_info;
mod metadata;
mod packages;
mod record;
mod text;
mod wheel_file;
mod whole;
mod write;

pub use archive::{
    Archive, DosTime, Harm, Hashes, Member, MemberError, MemberErrorKind, MemberHash, Method, Problem, ProblemKind,
    Processed, WheelError, hash,
};
pub use dist_info::{DistInfo, DistInfoError, Place, Scheme, normalised};
pub use metadata::{Metadata, Requirement};
pub use packages::{Package, PackageKind, packages};
pub use record::{Algorithm, Digest, Record, RecordCheck, RecordEntry, RecordFault, check_record};
pub use text::{Headers, TextProblem, TextProblemKind};
pub use wheel_file::WheelFile;
pub use whole::Wheel;
pub use write::{
    Content, Edits, Level, Packing, WriteError, WriteOptions, Written, canonicalise, compress_anew, pack_dir, rewrite,
    with_stored,
};
