//! Where things are kept: downloads in a cache that lives on, data in a private folder for each stack.

use crate::{Context, Error};
use std::{
    env,
    fs::{self, File, Permissions, TryLockError},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Downloads: `$VISAGE_CACHE`, else `$XDG_CACHE_HOME/visage`, else `~/.cache/visage`.
///
/// # Errors
/// It cannot be made.
pub fn cache() -> Result<PathBuf, Error> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("VISAGE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("visage")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/visage")))
        .ok_or_else(|| {
            Error::new("neither VISAGE_CACHE nor HOME is set, so there is no folder for downloads")
        })?;
    fs::create_dir_all(&folder).context(format!("making {}", folder.display()))?;
    Ok(folder)
}

/// This user's folder below the system's temporary one, which other users can pass through but not list:
/// PostgreSQL refuses to run as root, so for root it runs as another user.
///
/// # Errors
/// It cannot be made, or belongs to somebody else.
pub fn state() -> Result<PathBuf, Error> {
    let uid = nix::unistd::getuid();
    let folder = env::temp_dir().join(format!("visage-{uid}"));
    fs::create_dir_all(&folder).context(format!("making {}", folder.display()))?;
    let owner = fs::symlink_metadata(&folder).context(format!("looking at {}", folder.display()))?;
    if !owner.is_dir() || owner.uid() != uid.as_raw() {
        return Err(Error(format!("{} belongs to another user: remove it", folder.display())));
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o711))
        .context(format!("closing {}", folder.display()))?;
    Ok(folder)
}

/// The private folder of one stack: locked while its owner lives, and removed with it, or by the next one.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// A new folder, after removing those whose owners are gone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create() -> Result<Self, Error> {
        let stacks = state()?.join("stacks");
        fs::create_dir_all(&stacks).context(format!("making {}", stacks.display()))?;
        fs::set_permissions(&stacks, Permissions::from_mode(0o711))
            .context("closing the folder of stacks")?;
        remove_abandoned(&stacks);
        let path = stacks.join(uuid::Uuid::now_v7().simple().to_string());
        fs::create_dir(&path).context(format!("making {}", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o711)).context("closing the data folder")?;
        let lock = File::create(path.join("lock")).context("making the lock of the data folder")?;
        lock.lock().context("locking the data folder")?;
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log of the part or function `name`.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.log"))
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // What is left behind is removed by the next stack.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders that nobody holds locked. A folder without a lock file is one that is just being made.
fn remove_abandoned(stacks: &Path) {
    for entry in fs::read_dir(stacks).into_iter().flatten().flatten() {
        let Ok(lock) = File::open(entry.path().join("lock")) else { continue };
        if !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
