//! What the names of two copies of one library have in common.

/// The name of a library without folder, extension, version, and the hash that repair tools put into it: `libLLVM` for
/// `libLLVM-8db1eca6.so.20.1`, `libLLVM-14.so.1`, `libLLVM.20.1.dylib`, `libLLVM-20.dll`.
pub fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut stem = file;
    let is_end = |at: &usize| file.get(at + 3..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if let Some(at) = file.match_indices(".so").map(|(at, _)| at).find(is_end) {
        stem = file.get(..at).unwrap_or(file);
    }
    for extension in [".dylib", ".dll", ".pyd"] {
        let at = stem.len().saturating_sub(extension.len());
        if stem.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(extension)) {
            stem = stem.get(..at).unwrap_or(stem);
        }
    }
    loop {
        // From the end: a version or a hash after `-`, a version after `.`.
        let Some(at) = stem.rfind(['-', '.', '_']) else { return stem };
        let (tail, mark) = (stem.get(at + 1..).unwrap_or_default(), stem.as_bytes().get(at));
        let is_version = !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit());
        let is_hash = mark == Some(&b'-') && tail.len() >= 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
        if at == 0 || !(is_hash || (is_version && mark != Some(&b'_'))) {
            return stem;
        }
        stem = stem.get(..at).unwrap_or(stem);
    }
}

#[cfg(test)]
#[test]
fn stems() {
    for (name, expected) in [
        ("libLLVM-8db1eca6.so.20.1", "libLLVM"),
        ("libLLVM-14.so.1", "libLLVM"),
        ("libLLVM.so.19.1", "libLLVM"),
        ("@rpath/libLLVM.20.1.dylib", "libLLVM"),
        ("libLLVM-20.dll", "libLLVM"),
        (r"x.libs\msvcp140-0a1b2c3d4e5f60718293a4b5c6d7e8f9.DLL", "msvcp140"),
        ("libstdc++.so.6", "libstdc++"),
        ("libpython3.13.so.1.0", "libpython3"),
        ("libx86_64.so", "libx86_64"),
        ("libsomething.sorted.so", "libsomething.sorted"),
        ("ld-linux-x86-64.so.2", "ld-linux-x86"),
        ("libcafebabe.so", "libcafebabe"),
        ("-12345678", "-12345678"),
        ("", ""),
    ] {
        assert_eq!(stem(name), expected, "{name}");
    }
}
