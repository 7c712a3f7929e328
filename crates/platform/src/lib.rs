//! Targets, compatibility tags, versions, wheel names, build identifiers, library policies, system exports and the ways
//! in which systems write paths, as data.
//!
//! Knows how these are spelled, compared and matched, for Linux, macOS and Windows alike on any host. Must not know
//! processes, the file system or what is inside a binary: everything here is text in and values out.
//!
//! Every name is a type whose `FromStr` and `Display` are inverse, and which serde reads and writes as that text. An
//! error keeps the text that was given and says why it is none.

#![forbid(unsafe_code)]

mod build_id;
mod compatible;
mod distribution;
pub mod exports;
pub mod library_pattern;
pub mod paths;
mod platform_tag;
pub mod policy;
mod python;
mod python_request;
mod specifier;
mod tags;
mod target;
mod target_platform;
mod text;
mod version;
mod wheel_name;

pub use build_id::{BuildId, BuildIdError};
pub use compatible::{HostPlatform, HostSystem, compatible_tags};
pub use distribution::{Distribution, NameError};
pub use paths::PathStyle;
pub use platform_tag::{LEGACY_MANYLINUX, MajorMinor, PlatformTag, TagError};
pub use python::{PythonVersion, PythonVersionError};
pub use python_request::{PythonRequest, PythonRequestError};
pub use specifier::{Operator, Specifier, SpecifierError, SpecifierSet};
pub use tags::{AbiTag, PythonTag, Tag, TagSet};
pub use target::{Arch, Os, TargetKey, TargetKeyError, UnknownName};
pub use target_platform::{PolicyStem, TargetPlatform, TargetPlatformError};
pub use version::{PreRelease, Version, VersionError};
pub use wheel_name::{BuildTag, BuildTagError, WheelName, WheelNameError};
