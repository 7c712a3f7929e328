//! The wheel archive: members, METADATA, WHEEL, RECORD; reading and writing.
