//! Typed configuration from the environment, read once at start.
//!
//! A function reads only what it uses. A variable that is missing or cannot be read stops the process with one line
//! on standard error that names it, and [`EXIT_CODE`].

use std::{env, fmt, fs, path::PathBuf, process::ExitCode, str::FromStr};

/// `EX_USAGE` of sysexits.h: whoever started the process must change something before trying again.
pub const EXIT_CODE: u8 = 64;

/// Which variable is wrong, and how. Never its value: it may be a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable} {problem}")]
pub struct Error {
    pub variable: String,
    pub problem: String,
}

impl Error {
    pub fn new(variable: &str, problem: impl fmt::Display) -> Self {
        Self { variable: variable.into(), problem: problem.to_string() }
    }

    /// Says what is wrong on standard error and returns the code to end with.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        eprintln!("configuration: {self}");
        ExitCode::from(EXIT_CODE)
    }
}

/// A variable that must be set.
///
/// # Errors
/// It is unset, empty, not UTF-8 or not a `T`.
pub fn required<T: FromStr<Err: fmt::Display>>(variable: &str) -> Result<T, Error> {
    optional(variable)?.ok_or_else(|| Error::new(variable, "is not set"))
}

/// A variable that may be unset or empty.
///
/// # Errors
/// It is set and not UTF-8 or not a `T`.
pub fn optional<T: FromStr<Err: fmt::Display>>(variable: &str) -> Result<Option<T>, Error> {
    match env::var(variable) {
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::new(variable, "is not UTF-8")),
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => {
            value.parse().map(Some).map_err(|cause| Error::new(variable, format!("cannot be read: {cause}")))
        }
    }
}

/// A variable with a default.
///
/// # Errors
/// As [`optional`].
pub fn or_default<T: FromStr<Err: fmt::Display>>(variable: &str, default: T) -> Result<T, Error> {
    Ok(optional(variable)?.unwrap_or(default))
}

/// A text that stands in `variable` itself or in the file that `variable` + `_FILE` names, as secrets are mounted.
///
/// # Errors
/// Both are set, or the file cannot be read.
pub fn optional_text(variable: &str) -> Result<Option<String>, Error> {
    let file_variable = format!("{variable}_FILE");
    match (optional::<String>(variable)?, optional::<PathBuf>(&file_variable)?) {
        (Some(_), Some(_)) => Err(Error::new(variable, format!("and {file_variable} are both set: set one"))),
        (text, None) => Ok(text),
        (None, Some(path)) => {
            let cannot =
                |cause| Error::new(&file_variable, format!("names a file that cannot be read: {cause}"));
            fs::read_to_string(path).map(Some).map_err(cannot)
        }
    }
}

/// As [`optional_text`], for a text that must be there.
///
/// # Errors
/// As [`optional_text`], and neither variable is set.
pub fn required_text(variable: &str) -> Result<String, Error> {
    let missing = || Error::new(variable, format!("(or {variable}_FILE) is not set"));
    optional_text(variable)?.ok_or_else(missing)
}
