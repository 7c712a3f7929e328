//! `doctor`: what the plan needs here, what was found where, and how to get the rest.

use crate::args::{DoctorArgs, Global};
use crate::context::Context;
use crate::exit::{self, Failure};
use crate::output;
use exec::Cancel;
use plan::show::NotRun;
use std::fmt::Write as _;

pub(crate) fn run(global: &Global, args: &DoctorArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let context = Context::load(global, &args.selection, None, cancel)?;
    if let Some(file) = &args.save_world {
        let world = host::World { checkout: Some(context.root.clone()), ..context.world.clone() };
        world.write(file).map_err(Failure::usage)?;
    }
    let plan = context.plan()?;
    let world = &context.world;
    let mut text = String::new();
    let libc = world
        .libc
        .as_ref()
        .map(|libc| format!(", {:?} {}", libc.kind, libc.version).to_lowercase())
        .unwrap_or_default();
    let _ = writeln!(text, "machine: {}{libc}, {} cores", plan::target_of(world), world.cpus);
    let _ = writeln!(text, "\nPythons:");
    for interpreter in &world.interpreters {
        let mut lacks = Vec::new();
        if !interpreter.has_headers {
            lacks.push("no headers");
        }
        if !interpreter.has_venv {
            lacks.push("no venv");
        }
        let lacks = if lacks.is_empty() { String::new() } else { format!("  ({})", lacks.join(", ")) };
        let _ = writeln!(
            text,
            "  {:<7} {:<8} {}{lacks}",
            interpreter.python.to_string(),
            interpreter.version,
            interpreter.path
        );
    }
    for rejected in &world.rejected {
        let _ = writeln!(text, "  not used: {}: {}", rejected.path, rejected.reason);
    }
    let _ = writeln!(text, "\nLLVM:");
    if world.llvm.installations.is_empty() {
        let _ = writeln!(text, "  none found");
    }
    for llvm in &world.llvm.installations {
        let shared = llvm.shared.as_ref().map_or("no shared library", |shared| shared.soname.as_str());
        let cmake = if llvm.cmake_dir.is_some() { "" } else { "  (no CMake files: not for building)" };
        let _ = writeln!(text, "  {:<8} {}  {shared}{cmake}", llvm.version.to_string(), llvm.prefix);
    }
    let _ = writeln!(text, "\nPrograms:");
    for (name, path) in &world.tools {
        let _ = writeln!(text, "  {name:<10} {path}");
    }
    match world.visual_studios.as_deref() {
        None => {}
        Some([]) => {
            let _ = writeln!(text, "  no Visual Studio with a C++ compiler");
        }
        Some(found) => {
            for folder in found {
                let _ = writeln!(text, "  {:<10} {folder}  (Visual Studio)", "cl");
            }
        }
    }
    let _ = writeln!(text, "\nInstalls:");
    text.push_str(&installs(world));
    let _ = writeln!(text, "\nBuilds:");
    for build in plan.builds.iter().filter(|build| build.runnable) {
        let _ = writeln!(text, "  {}: runs here", build.scope());
    }
    for group in NotRun::of(&plan) {
        let _ = write!(text, "{group}");
    }
    text.push_str(&everything_at_once(&plan::needs(&plan), world));
    output::line(&text)?;
    let missing = plan.builds.iter().any(|build| build.obstacle == Some(plan::Obstacle::Missing));
    Ok(if missing { exit::ENVIRONMENT } else { exit::FINE })
}

/// What packages and what Python environments are made with here.
fn installs(world: &host::World) -> String {
    let mut text = String::new();
    let chosen = world.package_manager.as_ref();
    match chosen {
        Some(manager) => {
            let place = manager.environment.as_ref().map(|place| format!(", in {place}")).unwrap_or_default();
            let _ = writeln!(text, "  {:<10} {}{place}", manager.kind.to_string(), manager.path);
            let llvm: Vec<String> = manager.llvm.iter().map(|candidate| candidate.version.to_string()).collect();
            if !llvm.is_empty() {
                let _ = writeln!(text, "  {:<10} has LLVM {}", "", llvm.join(", "));
            }
            if manager.lists_empty {
                let _ = writeln!(text, "  {:<10} has no lists of what there is; --provision fetches them", "");
            }
        }
        None => {
            let _ = writeln!(text, "  no package manager that is known");
        }
    }
    for other in host::packages::present(world.os, &world.tools) {
        if chosen.is_none_or(|manager| manager.path != other.path) {
            let _ = writeln!(text, "  {:<10} {}  (not asked)", other.kind.to_string(), other.path);
        }
    }
    match &world.installer {
        host::toolenv::Installer { uv: Some(uv), .. } => {
            let _ = writeln!(text, "  {:<10} {}  {}, for Python environments", "uv", uv.path, uv.version);
        }
        host::toolenv::Installer { remark: Some(remark), .. } => {
            let _ = writeln!(text, "  {:<10} for Python environments; {remark}", "pip");
        }
        _ => {
            let _ = writeln!(
                text,
                "  {:<10} for Python environments; with uv on PATH they are made several times faster",
                "pip"
            );
        }
    }
    text
}

/// One command for all that the builds lack, and what it does not get.
fn everything_at_once(needs: &[host::packages::Need], world: &host::World) -> String {
    let Some(manager) = world.package_manager.as_ref().filter(|_| !needs.is_empty()) else { return String::new() };
    let installation = host::packages::installation(needs, manager, world.is_root);
    let mut text = String::new();
    if !installation.packages.is_empty() {
        let _ = writeln!(
            text,
            "\nAll that is missing (or `cargo xtask wheels --provision`):\n  {}",
            installation.shell_line()
        );
        if let Some((reason, _)) = installation.refusal(manager) {
            let _ = writeln!(text, "  not by this user: {reason}");
        }
    }
    for unknown in &installation.unknown {
        let _ = writeln!(text, "  not to be had from {}: {unknown}", manager.kind);
    }
    text
}
