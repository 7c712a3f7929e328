//! Targets, compatibility tags, wheel names, build identifiers, library policies and system exports as data.
