//! Where the files of a wheel lie once it is installed.

use wheel::{DistInfo, Place, Scheme};

/// Where a member goes, seen from site-packages; its own name where that is not known. Other schemes' folders are outside,
/// below their common root `..` as on Unix. Where that root is differs from one environment to the next (`lib/python3.13/`,
/// `lib64/…`, `Lib/`), so [`normal`] knows no way between it and site-packages.
pub(crate) fn place_of(dist_info: Option<&DistInfo>, member: &str) -> String {
    match dist_info.map(|info| info.place(member)) {
        Some(Place::Site(place)) => place.to_owned(),
        Some(Place::Scheme(Scheme::Scripts, path)) => format!("../bin/{path}"),
        Some(Place::Scheme(Scheme::Headers, path)) => format!("../include/{path}"),
        Some(Place::Scheme(Scheme::Data, path)) => format!("../{path}"),
        Some(Place::Scheme(Scheme::Purelib | Scheme::Platlib, path)) => path.to_owned(),
        Some(Place::DistInfo(_) | Place::Outside(_)) | None => member.to_owned(),
    }
}

/// The folder of a path, without a slash at the end.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Where auditwheel puts a program that has to find grafted libraries: `pkg.scripts/tool`.
pub(crate) fn is_moved_program(place: &str) -> bool {
    folder(place).ends_with(".scripts")
}

/// `path` with `.` and `..` taken out; `None` when it leaves the root. A `..` at the start is the root of what lies outside of
/// site-packages ([`place_of`]).
pub(crate) fn normal(path: &str) -> Option<String> {
    let (root, path) = match path.strip_prefix("../") {
        Some(rest) => ("../", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    let below = parts.join("/");
    Some(if below.is_empty() { root.trim_end_matches('/').to_owned() } else { format!("{root}{below}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_leads_into_or_out_of_site_packages() {
        for (path, to) in [
            ("pkg/../x.libs", Some("x.libs")),
            ("pkg/./sub/", Some("pkg/sub")),
            ("pkg/../../x.libs", None),
            ("../bin/../lib", Some("../lib")),
            ("../bin/", Some("../bin")),
            ("../bin/..", Some("..")),
            ("../bin/../../x.libs", None),
            ("../../x.libs", None),
            ("/../x.libs", None),
        ] {
            assert_eq!(normal(path).as_deref(), to, "{path}");
        }
    }
}
