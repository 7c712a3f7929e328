//! `matrix`: the plan's builds as the jobs of a CI matrix.

use crate::args::{Global, MatrixArgs, MatrixFormat};
use crate::context::Context;
use crate::exit::{self, Failure};
use crate::output;
use exec::Cancel;
use plan::matrix::{GithubMatrix, jobs};

pub(crate) fn run(global: &Global, args: &MatrixArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let context = Context::load(global, &args.selection, None, cancel)?;
    let include = jobs(&context.plan()?).map_err(|error| {
        let help = format!("write `targets: {{ {}: {{ runner: LABEL }} }}`, with a runner of that kind", error.target);
        Failure::from(context.settings.error_at_target(&error.target, error.to_string()).help(help))
    })?;
    let text = match args.format {
        MatrixFormat::Github => serde_json::to_string(&GithubMatrix { include }),
        MatrixFormat::Json => serde_json::to_string_pretty(&include),
    };
    output::line(&text.map_err(Failure::usage)?)?;
    Ok(exit::FINE)
}
