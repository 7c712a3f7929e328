//! The arguments and environment of a process as macOS tells them (`KERN_PROCARGS2`).

/// The environment in it: `NAME=value` entries, each ended by a NUL. The bytes are the number of arguments (32 bits, of
/// this machine's order), the program's path, NULs up to a word's border, the arguments, and the environment, each ended
/// by a NUL (XNU, `sysctl_procargsx` in bsd/kern/kern_sysctl.c). None if they end before.
pub(super) fn environment_of(bytes: &[u8]) -> Option<&[u8]> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let mut rest = after_nul(rest)?;
    while let Some((0, more)) = rest.split_first() {
        rest = more;
    }
    for _ in 0..u32::from_ne_bytes(*count) {
        rest = after_nul(rest)?;
    }
    Some(rest)
}

fn after_nul(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.get(end + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_apart() {
        for (count, rest, environment) in [
            (2, &b"/bin/sh\0\0\0\0sh\0-c\0A=b\0C=\0"[..], Some(&b"A=b\0C=\0"[..])),
            (2, b"/bin/sh\0sh\0\0A=b\0", Some(b"A=b\0")),
            (0, b"/x\0\0A=b\0", Some(b"A=b\0")),
            (1, b"/x\0x\0", Some(b"")),
            (2, b"/x\0x\0", None),
            (u32::MAX, b"/x\0x\0y\0z\0", None),
            (1, b"/x", None),
            (1, b"", None),
        ] {
            let bytes = [&u32::to_ne_bytes(count), rest].concat();
            assert_eq!(environment_of(&bytes), environment, "{count} {rest:?}");
        }
        assert_eq!(environment_of(b"\x01\0"), None);
    }
}
