//! Which libraries a user means: a name in which `*` stands for any characters and `?` for any one. Nothing else is special,
//! whichever tool reads the pattern in the end.

use crate::Os;

/// Whether one of the patterns means a library, by the name under which a binary needs it: its file name, or on Linux and
/// macOS all of a path. Windows' names are compared in any case.
pub fn any_means<P: AsRef<str>>(patterns: &[P], library: &str, os: Os) -> bool {
    patterns.iter().any(|pattern| means(pattern.as_ref(), library, os))
}

/// The same for one pattern.
pub fn means(pattern: &str, library: &str, os: Os) -> bool {
    let name = library.rsplit(['/', '\\']).next().unwrap_or(library);
    if os == Os::Windows {
        fits(&pattern.to_lowercase(), &name.to_lowercase())
    } else {
        fits(pattern, name) || fits(pattern, library)
    }
}

/// The same pattern for Python's `fnmatch`, to which `[` is special too.
pub fn for_fnmatch(pattern: &str) -> String {
    pattern.replace('[', "[[]")
}

/// Linear in the name for each star: no pattern from outside makes it slow.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_and_nothing_else() {
        for (pattern, name, fit) in [
            ("libcuda.so.*", "libcuda.so.1", true),
            ("libcuda.so.*", "libcudart.so.1", false),
            ("*", "", true),
            ("lib?.so", "liba.so", true),
            ("lib?.so", "lib.so", false),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("libz.so.1", "libz.so.1", true),
            ("", "x", false),
            ("libz.so.[0-9]", "libz.so.1", false),
            ("libz.so.[0-9]", "libz.so.[0-9]", true),
            ("lib{a,b}.so", "liba.so", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn names_of_three_systems() {
        for (pattern, library, os, meant) in [
            ("libomp.dylib", "@rpath/libomp.dylib", Os::MacOs, true),
            ("*/opt/*", "/usr/opt/x/liba.dylib", Os::MacOs, true),
            ("LIBOMP.dylib", "libomp.dylib", Os::MacOs, false),
            ("NVCUDA.dll", "nvcuda.DLL", Os::Windows, true),
            ("nvcuda.dll", "nvcuda64.dll", Os::Windows, false),
            ("libcuda.so.?", "libcuda.so.1", Os::Linux, true),
        ] {
            assert_eq!(means(pattern, library, os), meant, "{pattern} {library}");
            assert_eq!(any_means(&["x", pattern], library, os), meant);
        }
        assert_eq!(for_fnmatch("lib[x]*.so.?"), "lib[[]x]*.so.?");
    }
}
