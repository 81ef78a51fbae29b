//! A node's start: the folder, the store, the root key, and what the very first start makes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use padclock_store::{FirstStart, KeyMaterial, NewToken, Store, StoreError};
use padclock_vault::{KeyError, Keyring, Label, RootKey, Value, token};

use crate::random::{self, System};
use crate::root_key::RootKeyError;
use crate::settings::Settings;

/// The shortest token that may be set from outside.
const SHORTEST_TOKEN: usize = 16;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder, or a file in it, can't be used.
    #[error("{} can't be used: {why}", path.display())]
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// Another process has the embedded database.
    #[error("another padclock process uses {}: stop it, or give another --data", .0.display())]
    InUse(PathBuf),
    /// The database can't be used.
    #[error("the database can't be used: {0}")]
    Store(#[from] StoreError),
    /// There is no root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The root key is not this database's.
    #[error("wrong root key: this database was sealed by another one")]
    WrongRootKey,
    /// A sealed key in the database is damaged.
    #[error("the database's sealed keys are damaged: {0}")]
    Keys(KeyError),
    /// The address to listen on can't be used.
    #[error("can't listen on {address}: {why}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// The address is reachable from outside, and nothing would encrypt what is sent to it.
    #[error(
        "{0} is not a loopback address, and tokens and values would cross the network in the clear: listen on loopback, or say --behind-proxy when TLS ends in front"
    )]
    InTheClear(std::net::SocketAddr),
    /// The token that was set from outside is no good one.
    #[error("PADCLOCK_BOOTSTRAP_TOKEN must be at least {SHORTEST_TOKEN} visible ASCII characters")]
    WeakToken,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What a start has opened.
pub(crate) struct Opened {
    pub(crate) store: Arc<Store>,
    pub(crate) keyring: Arc<Keyring>,
    /// Held as long as the node runs.
    pub(crate) lock: Option<File>,
    /// What a first start has made, to be told.
    pub(crate) made: Made,
}

/// Files that a first start has made.
#[derive(Debug, Default, Clone)]
pub struct Made {
    /// The root key: to be backed up.
    pub root_key: Option<PathBuf>,
    /// The owner's token.
    pub owner_token: Option<PathBuf>,
}

/// Opens everything.
pub(crate) async fn open(settings: &Settings) -> Result<Opened, StartError> {
    make_folder(&settings.data)?;
    let own = format!("sqlite://{}", settings.data.join("padclock.db").display());
    let url = settings.database.clone().unwrap_or(own);
    let file = url.strip_prefix("sqlite://").map(Path::new);
    let embedded = file.is_some();
    let lock = file.map(lock).transpose()?;
    let store = Arc::new(Store::open(&url).await?);
    if let Some(file) = store.file() {
        private(file)?;
    }
    let (keyring, made) = unlock(settings, &store, embedded).await?;
    store.unlock(Arc::clone(&keyring));
    if let Some(given) = &settings.bootstrap_token {
        store
            .ensure_owner_token(bootstrap_token(&keyring, given)?)
            .await?;
    }
    if embedded {
        store.take_over().await?;
    }
    Ok(Opened {
        store,
        keyring,
        lock,
        made,
    })
}

/// Opens a database that a node has made, with its root key: it makes no folder, no keys and no token.
pub(crate) async fn open_made(
    settings: &Settings,
) -> Result<(Arc<Store>, Arc<Keyring>), StartError> {
    let own = format!("sqlite://{}", settings.data.join("padclock.db").display());
    let url = settings.database.clone().unwrap_or(own);
    let file = url.strip_prefix("sqlite://").map(Path::new);
    if let Some(path) = file.filter(|path| !path.exists()) {
        let (path, why) = (path.to_owned(), std::io::ErrorKind::NotFound.into());
        return Err(StartError::Folder { path, why });
    }
    let store = Arc::new(Store::open(&url).await?);
    let material = store.key_material().await?;
    let material = material.ok_or_else(|| {
        StartError::Other("the database is empty: no node has started on it yet".to_owned())
    })?;
    let (root, _) = settings
        .root_key
        .load(false, file.is_some(), &mut System::default())?;
    let keyring = proved(&root, &material)?;
    store.unlock(Arc::clone(&keyring));
    Ok((store, keyring))
}

fn make_folder(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|why| StartError::Folder {
        path: path.to_owned(),
        why,
    })
}

/// One process at a time has an embedded database: it takes over whatever an earlier one has left.
fn lock(database: &Path) -> Result<File, StartError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let unusable = |why| StartError::Folder {
        path: path.clone(),
        why,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse(database.to_owned())),
        Err(std::fs::TryLockError::Error(why)) => Err(unusable(why)),
    }
}

fn private(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::PermissionsExt;
    let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    set.map_err(|why| StartError::Folder {
        path: path.to_owned(),
        why,
    })
}

/// Proves the root key, or makes the first keys. When two nodes start at once on an empty database, one of them makes
/// the keys and the other proves its own root key against them.
async fn unlock(
    settings: &Settings,
    store: &Store,
    embedded: bool,
) -> Result<(Arc<Keyring>, Made), StartError> {
    let mut made = Made::default();
    loop {
        let material = store.key_material().await?;
        let (root, kept) =
            settings
                .root_key
                .load(material.is_none(), embedded, &mut System::default())?;
        made.root_key = made.root_key.or(kept);
        if let Some(material) = material {
            return Ok((proved(&root, &material)?, made));
        }
        if let Some((keyring, token)) = first_start(settings, store, &root).await? {
            made.owner_token = token;
            return Ok((keyring, made));
        }
    }
}

fn proved(root: &RootKey, material: &KeyMaterial) -> Result<Arc<Keyring>, StartError> {
    match Keyring::unlock(root, &material.master, &material.terms) {
        Ok(keyring) => Ok(Arc::new(keyring)),
        Err(KeyError::WrongRootKey) => Err(StartError::WrongRootKey),
        Err(other) => Err(StartError::Keys(other)),
    }
}

async fn first_start(
    settings: &Settings,
    store: &Store,
    root: &RootKey,
) -> Result<Option<(Arc<Keyring>, Option<PathBuf>)>, StartError> {
    let (keyring, master, term) = Keyring::create(root, &mut System::default());
    let keyring = Arc::new(keyring);
    let now = random::wall_clock();
    let made = if settings.bootstrap_token.is_none() {
        Some(token::generate(&mut System::default()))
    } else {
        None
    };
    let token = match (&settings.bootstrap_token, &made) {
        (Some(given), _) => bootstrap_token(&keyring, given)?,
        (None, Some(token)) => stored_token(&keyring, token, "owner")?,
        (None, None) => return Err(StartError::WeakToken),
    };
    // The file comes first: a token that is stored and was shown to no one would lock its owner out.
    let path = match &made {
        Some(token) => Some(write_token(&settings.data, token)?),
        None => None,
    };
    let keys = KeyMaterial {
        master,
        terms: vec![term],
    };
    let first = FirstStart {
        keys,
        workspace: random::id(now),
        owner: random::id(now),
        token,
    };
    if store.first_start(first, Arc::clone(&keyring)).await? {
        return Ok(Some((keyring, path)));
    }
    // Another node was first: the token that was written here is nobody's.
    if let Some(path) = path {
        std::fs::remove_file(&path).map_err(|why| StartError::Folder { path, why })?;
    }
    Ok(None)
}

fn bootstrap_token(keyring: &Keyring, given: &Value) -> Result<NewToken, StartError> {
    stored_token(keyring, given, "bootstrap")
}

#[expect(clippy::disallowed_methods, reason = "a token is hashed to be stored")]
fn stored_token(keyring: &Keyring, token: &Value, name: &str) -> Result<NewToken, StartError> {
    let text = std::str::from_utf8(token.expose()).map_err(|_| StartError::WeakToken)?;
    if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(StartError::WeakToken);
    }
    let lookup = token::lookup(keyring.derived(Label::TokenLookup), text);
    Ok(NewToken {
        id: random::id(random::wall_clock()),
        lookup,
        name: name.to_owned(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the owner's first token is written to its file, mode 0600"
)]
fn write_token(folder: &Path, token: &Value) -> Result<PathBuf, StartError> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join("owner.token");
    let unusable = |why| StartError::Folder {
        path: path.clone(),
        why,
    };
    // Written beside and moved into place, so that a crash leaves a whole token or none.
    let beside = folder.join("owner.token.new");
    let file = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside);
    let mut file = file.map_err(unusable)?;
    file.write_all(token.expose())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .map_err(unusable)?;
    std::fs::rename(&beside, &path).map_err(unusable)?;
    Ok(path)
}
