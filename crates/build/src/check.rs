//! Post-conditions of a build: what the wheel holds is read back from the file.

use crate::error::BuildError;
use crate::request::{LlvmUse, Request};
use crate::rules;
use camino::Utf8Path;
use diagnostics::{Finding, Subject};
use host::World;
use llvm::Linkage;
use wheel::{Archive, Package, Wheel};

/// Everything that is wrong with a wheel that was just built.
pub(crate) fn wheel(request: &Request, _world: &World, path: &Utf8Path) -> Result<Vec<Finding>, BuildError> {
    let name = path.file_name().unwrap_or_default();
    let wheel = Wheel::open(path).map_err(|error| BuildError::BadWheel(error.to_string()))?;
    let mut findings = Vec::new();
    findings.extend(python_tag(request, name));
    let packages = match &wheel.dist_info {
        Ok(dist_info) => wheel::packages(&wheel.archive, dist_info),
        Err(error) => return Err(BuildError::BadWheel(error.to_string())),
    };
    findings.extend(imports(request, name, &wheel.archive, &packages));
    if let Some(llvm) = &request.llvm {
        findings.extend(linked_llvm(llvm, name, &wheel.archive));
    }
    Ok(findings)
}

fn python_tag(request: &Request, name: &str) -> Option<Finding> {
    let python = request.interpreter.python;
    let subject = || Subject::file(name);
    let parsed: platform::WheelName = match name.parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            return Some(Finding::new(&rules::WRONG_PYTHON_TAG, subject(), error.to_string()));
        }
    };
    let fits = parsed.tags.expand().any(|tag| tag_takes(&tag, python));
    (!fits).then(|| {
        let message =
            format!("the wheel `{name}` was built with CPython {} and its tags do not take it", python.dotted());
        Finding::new(&rules::WRONG_PYTHON_TAG, subject(), message)
    })
}

fn tag_takes(tag: &platform::Tag, python: platform::PythonVersion) -> bool {
    let (tag_python, abi) = (tag.python.to_string(), tag.abi.to_string());
    if tag_python.starts_with("py3") {
        return abi == "none";
    }
    let Some((major, minor)) = tag.python.version() else { return false };
    let minor = minor.unwrap_or(0);
    match abi.as_str() {
        // The stable ABI is for this version and all later ones; only CPython 3.15's abi3t is for free-threaded builds.
        "abi3" => !python.free_threaded && major == python.major && minor <= python.minor,
        "abi3t" => major == python.major && minor <= python.minor,
        exact => {
            (major, minor) == (python.major, python.minor) && (exact == python.abi_tag().to_string() || exact == "none")
        }
    }
}

fn imports(request: &Request, name: &str, archive: &Archive, packages: &[Package]) -> Vec<Finding> {
    let known: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for module in &request.imports {
        let top = module.split('.').next().unwrap_or(module);
        if known.contains(&top) && holds(archive, module) {
            continue;
        }
        let message = format!("the module `{module}` is not in the wheel");
        let help = if known.is_empty() {
            "the wheel holds no module at all".to_owned()
        } else {
            format!("the wheel holds {}", known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", "))
        };
        findings
            .push(Finding::new(&rules::IMPORT_NOT_IN_WHEEL, Subject::file(name).symbol(module), message).help(help));
    }
    findings
}

/// Whether a dotted module is a package, a source file or an extension of the archive.
fn holds(archive: &Archive, module: &str) -> bool {
    let path = module.replace('.', "/");
    archive.members().iter().any(|member| {
        let name = match member.name.split_once(".data/") {
            Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, rest)| rest),
            None => member.name.as_str(),
        };
        name.strip_prefix(&path).is_some_and(|rest| {
            rest.starts_with('/')
                || rest == ".py"
                || rest == ".pyc"
                || (rest.starts_with('.') && (rest.ends_with(".so") || rest.ends_with(".pyd")))
        })
    })
}

/// Every libLLVM that a binary of the wheel names as needed must be the planned one, and with shared linkage one must.
fn linked_llvm(planned: &LlvmUse, name: &str, archive: &Archive) -> Vec<Finding> {
    let needed: Vec<(String, String)> = archive
        .par_process(
            |member| !member.is_dir,
            |member, bytes| {
                objfile::sniff(bytes)?;
                let file = objfile::parse(bytes).ok()?;
                let needed =
                    file.objects().flat_map(|object| object.needed.iter().map(|needed| needed.name.to_owned()));
                Some((member.name.clone(), needed.collect::<Vec<_>>()))
            },
        )
        .into_iter()
        .filter_map(|processed| processed.result.ok().flatten())
        .flat_map(|(member, needed)| needed.into_iter().map(move |library| (member.clone(), library)))
        .filter(|(_, library)| llvm::recognise(file_name(library)).is_some())
        .collect();
    let version = &planned.installation.version;
    let mut findings = Vec::new();
    for (member, library) in &needed {
        let major = llvm::recognise(file_name(library)).and_then(|name| name.major);
        let wrong = planned.linkage == Linkage::Static || major.is_some_and(|major| major != version.major);
        if wrong {
            let message = format!("`{member}` needs `{library}`, but LLVM {version} ({}) was planned", planned.linkage);
            let subject = Subject::file(name).member(member).symbol(library);
            findings.push(Finding::new(&rules::WRONG_LLVM, subject, message));
        }
    }
    if planned.linkage == Linkage::Shared && needed.is_empty() {
        let message = format!("no binary of `{name}` needs libLLVM, but LLVM {version} (shared) was planned");
        let help = "if LLVM is linked statically, say `llvm: { linkage: static }`; if it is not used, `llvm: false`";
        findings.push(Finding::new(&rules::LLVM_NOT_LINKED, Subject::file(name), message).help(help));
    }
    findings
}

fn file_name(library: &str) -> &str {
    library.rsplit('/').next().unwrap_or(library)
}
