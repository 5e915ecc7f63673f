//! The names on a simulated disk: those that are seen, those that would survive, and the changes between.

use std::collections::BTreeMap;
use std::io;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(u64),
}

/// One change of names, which is made whole or not at all.
#[derive(Debug, Clone)]
struct Change {
    gone: Option<String>,
    new: Option<(String, Node)>,
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        if let Some(path) = &self.gone {
            names.remove(path);
        }
        if let Some((path, node)) = &self.new {
            names.insert(path.clone(), *node);
        }
    }

    fn touches(&self, folder: &str) -> bool {
        let new = self.new.as_ref().map(|(path, _)| path);
        let mut paths = self.gone.iter().chain(new);
        paths.any(|path| parent(path) == folder)
    }
}

/// Paths without the root, which is always there.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    now: BTreeMap<String, Node>,
    safe: BTreeMap<String, Node>,
    unsynced: Vec<Change>,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn error(kind: io::ErrorKind) -> io::Error {
    io::Error::from(kind)
}

fn checked(path: &str) -> io::Result<()> {
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    if path.split('/').any(bad) && !path.is_empty() {
        return Err(error(io::ErrorKind::InvalidInput));
    }
    Ok(())
}

impl Names {
    pub(super) fn file(&self, path: &str) -> Option<u64> {
        match self.now.get(path) {
            Some(Node::File(id)) => Some(*id),
            Some(Node::Folder) | None => None,
        }
    }

    /// The file of this name as it would survive.
    pub(super) fn surviving_file(&self, path: &str) -> Option<u64> {
        match self.safe.get(path) {
            Some(Node::File(id)) => Some(*id),
            Some(Node::Folder) | None => None,
        }
    }

    /// The files that would survive below `folder`.
    pub(super) fn surviving(&self, folder: &str) -> Vec<String> {
        let below = format!("{folder}/");
        let names = self.safe.iter();
        let files = names.filter(|(path, node)| {
            matches!(node, Node::File(_)) && (folder.is_empty() || path.starts_with(&below))
        });
        files.map(|(path, _)| path.clone()).collect()
    }

    /// Files that have a name, now.
    pub(super) fn files(&self) -> impl Iterator<Item = u64> {
        self.now.values().filter_map(|node| match node {
            Node::File(id) => Some(*id),
            Node::Folder => None,
        })
    }

    pub(super) fn open(&self, path: &str) -> io::Result<u64> {
        checked(path)?;
        match self.now.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Folder) => Err(error(io::ErrorKind::IsADirectory)),
            None => Err(error(io::ErrorKind::NotFound)),
        }
    }

    fn in_folder(&self, folder: &str) -> io::Result<()> {
        match self.now.get(folder) {
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(error(io::ErrorKind::NotADirectory)),
            None if folder.is_empty() => Ok(()),
            None => Err(error(io::ErrorKind::NotFound)),
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    pub(super) fn create_folder(&mut self, folder: &str) -> io::Result<()> {
        checked(folder)?;
        if self.in_folder(folder).is_ok() {
            return Ok(());
        }
        if self.now.contains_key(folder) {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        self.create_folder(parent(folder))?;
        self.change(Change {
            gone: None,
            new: Some((folder.to_owned(), Node::Folder)),
        });
        Ok(())
    }

    pub(super) fn create(&mut self, path: &str, id: u64) -> io::Result<()> {
        checked(path)?;
        self.in_folder(parent(path))?;
        if path.is_empty() || self.now.contains_key(path) {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        self.change(Change {
            gone: None,
            new: Some((path.to_owned(), Node::File(id))),
        });
        Ok(())
    }

    /// Files only, and folders without content: the engine renames nothing else.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        checked(from)?;
        checked(to)?;
        self.in_folder(parent(to))?;
        let node = *self
            .now
            .get(from)
            .ok_or_else(|| error(io::ErrorKind::NotFound))?;
        let below = format!("{from}/");
        if node == Node::Folder && self.now.keys().any(|path| path.starts_with(&below)) {
            return self.rename_folder(&below, from, to);
        }
        self.change(Change {
            gone: Some(from.to_owned()),
            new: Some((to.to_owned(), node)),
        });
        Ok(())
    }

    /// A folder takes with it what is in it. What is below is synced with the folder's own name.
    fn rename_folder(&mut self, below: &str, from: &str, to: &str) -> io::Result<()> {
        let moved = |names: &mut BTreeMap<String, Node>| {
            let old: Vec<String> = names
                .keys()
                .filter(|path| *path == from || path.starts_with(below))
                .cloned()
                .collect();
            for path in old {
                if let Some(node) = names.remove(&path) {
                    names.insert(format!("{to}{}", &path[from.len()..]), node);
                }
            }
        };
        // Its own changes are made safe first: how a half-moved folder looks is no business of ours.
        for change in std::mem::take(&mut self.unsynced) {
            change.apply(&mut self.safe);
        }
        moved(&mut self.now);
        moved(&mut self.safe);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        checked(path)?;
        if path.is_empty() || !self.now.contains_key(path) {
            return Err(error(io::ErrorKind::NotFound));
        }
        let below = format!("{path}/");
        let inside = |other: &&String| *other == path || other.starts_with(&below);
        // From the inside out, so that a power cut in the middle leaves no file without its folder.
        let gone: Vec<String> = self.now.keys().filter(inside).rev().cloned().collect();
        for path in gone {
            self.change(Change {
                gone: Some(path),
                new: None,
            });
        }
        Ok(())
    }

    pub(super) fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        checked(folder)?;
        self.in_folder(folder)?;
        let inside = self.now.keys().filter(|path| parent(path) == folder);
        Ok(inside
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
            .collect())
    }

    pub(super) fn sync(&mut self, folder: &str) -> io::Result<()> {
        checked(folder)?;
        self.in_folder(folder)?;
        let safe = &mut self.safe;
        self.unsynced.retain(|change| {
            let here = change.touches(folder);
            if here {
                change.apply(safe);
            }
            !here
        });
        Ok(())
    }

    pub(super) fn settle(&mut self, path: &str, id: u64) {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        for names in [&mut self.now, &mut self.safe] {
            for folder in folders.clone() {
                names.insert(folder.to_owned(), Node::Folder);
            }
            names.insert(path.to_owned(), Node::File(id));
        }
    }

    pub(super) fn unsettle(&mut self, path: &str) {
        self.now.remove(path);
        self.safe.remove(path);
    }

    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// Lets those changes survive whose number, counted from 0, is kept; names whose folder is not there go.
    pub(super) fn cut_power(&mut self, mut kept: impl FnMut(usize) -> bool) {
        for (number, change) in std::mem::take(&mut self.unsynced).iter().enumerate() {
            if kept(number) {
                change.apply(&mut self.safe);
            }
        }
        let mut names: BTreeMap<String, Node> = BTreeMap::new();
        // Sorted, so that a folder comes before what is in it.
        for (path, node) in std::mem::take(&mut self.safe) {
            let folder = parent(&path);
            if folder.is_empty() || names.get(folder) == Some(&Node::Folder) {
                names.insert(path, node);
            }
        }
        self.safe = names.clone();
        self.now = names;
    }
}
