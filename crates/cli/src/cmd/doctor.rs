//! `doctor`: what the plan needs here, what was found where, and how to get the rest.

use crate::args::{DoctorArgs, Global};
use crate::context::Context;
use crate::exit::{self, Failure};
use crate::output;
use exec::Cancel;
use std::fmt::Write as _;

pub(crate) fn run(global: &Global, args: &DoctorArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let context = Context::load(global, &args.selection, None, cancel)?;
    if let Some(file) = &args.save_world {
        context.world.write(file).map_err(Failure::usage)?;
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
    let _ = writeln!(text, "\nBuilds:");
    for build in &plan.builds {
        let state = if build.runnable { "runs here" } else { build.reason.as_deref().unwrap_or("") };
        let mut lines = state.lines();
        let _ = writeln!(text, "  {}: {}", build.scope(), lines.next().unwrap_or(""));
        for line in lines {
            let _ = writeln!(text, "      {line}");
        }
        if let Some(remedy) = &build.remedy {
            let _ = writeln!(text, "      to run it: {remedy}");
        }
    }
    output::line(&text);
    let missing = plan.builds.iter().any(|build| build.obstacle == Some(plan::Obstacle::Missing));
    Ok(if missing { exit::ENVIRONMENT } else { exit::FINE })
}
