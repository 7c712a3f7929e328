//! Memory on Linux: what the machine has, or the control groups of this process let it use.

use camino::{Utf8Path, Utf8PathBuf};

/// Bytes; what stands in files below a root.
pub(super) fn of_linux(root: &Utf8Path) -> Option<u64> {
    let machine = parse_meminfo(&read(&root.join("proc/meminfo"))?)?;
    let limit = limits(root).into_iter().filter_map(|file| read(&file)?.trim().parse::<u64>().ok()).min();
    Some(limit.map_or(machine, |limit| limit.min(machine)))
}

/// The files that may hold a limit: of the group that this process is in and of each one around it, since the smallest
/// counts. In a container whose own group is mounted as the outermost, only that one is there.
///
/// `proc/self/cgroup` has a line `ID:CONTROLLERS:PATH` for each hierarchy; the second version has the ID 0 and names no
/// controllers (cgroups(7)). What is not limited says `max`, or a number beyond any memory.
fn limits(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mounted = root.join("sys/fs/cgroup");
    let mut files = vec![mounted.join("memory.max"), mounted.join("memory/memory.limit_in_bytes")];
    for line in read(&root.join("proc/self/cgroup")).unwrap_or_default().lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (top, file) = match controllers {
            "" => (mounted.clone(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (mounted.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // A group outside of this namespace is written with `..`, and cannot be seen.
        let mut folder = top;
        for part in path.split('/').filter(|part| !part.is_empty()).take_while(|part| *part != "..") {
            folder.push(part);
            files.push(folder.join(file));
        }
    }
    files
}

fn read(file: &Utf8Path) -> Option<String> {
    fs_err::read_to_string(file).ok()
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (files, bytes); the machine has 8 GiB.
    type Row<'a> = (&'a [(&'a str, &'a str)], u64);

    #[test]
    fn the_smallest_limit_counts() {
        const GIB: u64 = 1 << 30;
        let rows: &[Row<'_>] = &[
            (&[], 8 * GIB),
            (&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "2147483648\n")], 2 * GIB),
            (&[("proc/self/cgroup", "0::/user.slice\n"), ("sys/fs/cgroup/user.slice/memory.max", "max\n")], 8 * GIB),
            // The group around is smaller than the own one.
            (
                &[
                    ("proc/self/cgroup", "0::/kubepods/pod1/c\n"),
                    ("sys/fs/cgroup/kubepods/pod1/memory.max", "1073741824\n"),
                    ("sys/fs/cgroup/kubepods/pod1/c/memory.max", "3221225472\n"),
                ],
                GIB,
            ),
            // The first version, with a path that only the host has; unlimited is a large number there.
            (
                &[
                    ("proc/self/cgroup", "12:cpu,cpuacct:/docker/1\n11:memory:/docker/1\n0::/system.slice\n"),
                    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4294967296\n"),
                ],
                4 * GIB,
            ),
            (&[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")], 8 * GIB),
            (
                &[
                    ("proc/self/cgroup", "5:memory:/job\n"),
                    ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n"),
                ],
                GIB,
            ),
            (&[("proc/self/cgroup", "0::/../other\nnonsense\n:\n"), ("sys/fs/cgroup/memory.max", "what\n")], 8 * GIB),
        ];
        for (files, bytes) in rows {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8Path::from_path(folder.path()).unwrap();
            for (file, text) in files.iter().chain([&("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n")])
            {
                fs_err::create_dir_all(root.join(file).parent().unwrap()).unwrap();
                fs_err::write(root.join(file), text).unwrap();
            }
            assert_eq!(of_linux(root), Some(*bytes), "{files:?}");
        }
    }

    #[test]
    fn what_meminfo_says() {
        assert_eq!(parse_meminfo("MemTotal:        7995376 kB\nMemFree: 1 kB\n"), Some(7_995_376 * 1024));
        assert_eq!(parse_meminfo("MemTotal: 99999999999999999999 kB"), None);
        assert_eq!(parse_meminfo(""), None);
    }
}
