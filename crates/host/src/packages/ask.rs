//! Asking the manager that was chosen.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;

use super::{Found, ManagerKind, PackageManager, apt, dnf, installed, table};

/// The manager with what it says of the packages we may want. Without a runner: what files tell, and what it said the
/// last time.
///
/// Only apt and dnf are asked what they could install, and from their own lists alone; nothing here uses the network.
pub(crate) fn ask(
    found: Found,
    sudo: Option<Utf8PathBuf>,
    root: &Utf8Path,
    env: &BTreeMap<String, String>,
    cache: Option<&Utf8Path>,
    runner: Option<&Runner<'_>>,
) -> PackageManager {
    let cache = |name: &str| cache.map(|folder| folder.join(name));
    match found.kind {
        ManagerKind::Apt => apt::ask(found, sudo, root, cache("apt.json"), runner),
        ManagerKind::Dnf => dnf::ask(found, sudo, root, cache("dnf.json"), runner),
        ManagerKind::Apk | ManagerKind::Brew | ManagerKind::Choco | ManagerKind::Conda | ManagerKind::Winget => {
            let mut manager = found.unasked(sudo);
            let all = installed::on_disk(&manager, root, env).unwrap_or_default();
            manager.installed = all.into_iter().filter(|(name, _)| table::is_ours(manager.kind, name)).collect();
            manager
        }
    }
}
