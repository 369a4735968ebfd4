//! The users: names, groups, hashes of passwords.

use std::sync::Arc;

use keepmq_config::name::{NameFault, check_name};
use keepmq_model::{Principal, Secret};
use thiserror::Error;

use crate::hash::{Hash, new_salt};
use crate::password::{PasswordFault, check_password};

/// Most groups of a user, as in Amazon MQ.
pub const MOST_GROUPS: usize = 20;
/// Most users of a broker.
pub const MOST_USERS: usize = 10_000;

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub(crate) name: Arc<str>,
    pub(crate) groups: Vec<Arc<str>>,
    pub(crate) hash: Hash,
    pub(crate) old: Option<OldHash>,
    pub(crate) disabled: bool,
}

/// A password that is on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OldHash {
    /// Made with the salt of the new one, so that one run of the hash function judges both: otherwise the time that a
    /// login takes would tell who is changing their password.
    pub hash: Hash,
    /// Until when it is good, in milliseconds since 1970.
    pub until_ms: u64,
}

impl User {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups, as given.
    pub fn groups(&self) -> &[Arc<str>] {
        &self.groups
    }

    /// Whether they may not log in for now.
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Until when the password before the last is good, in milliseconds since 1970.
    pub fn old_password_until(&self) -> Option<u64> {
        self.old.as_ref().map(|old| old.until_ms)
    }

    /// As what they are known when they are logged in.
    pub fn principal(&self) -> Principal {
        Principal::new(&self.name, self.groups.iter().map(|group| &**group))
    }
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UserFault {
    /// There is one of that name.
    #[error("there is a user {0} already")]
    Exists(String),
    /// There is none of that name.
    #[error("there is no user {0}")]
    Unknown(String),
    /// The name.
    #[error("{0}")]
    Name(NameFault),
    /// A group.
    #[error("{0} is not a group: {1}")]
    Group(String, NameFault),
    /// Too many groups.
    #[error("a user has at most {MOST_GROUPS} groups")]
    TooManyGroups,
    /// Too many users.
    #[error("a broker has at most {MOST_USERS} users")]
    TooMany,
    /// The password.
    #[error("{0}")]
    Password(#[from] PasswordFault),
    /// The machine gives no randomness or no memory.
    #[error("the machine gives no randomness or no memory for a hash")]
    Machine,
}

/// All users, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    list: Vec<User>,
}

impl Users {
    /// All of them.
    pub fn list(&self) -> &[User] {
        &self.list
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&User> {
        self.list.iter().find(|user| *user.name == *name)
    }

    /// Adds one.
    pub fn add(&mut self, name: &str, groups: &[&str], password: &Secret) -> Result<(), UserFault> {
        check_name(name).map_err(UserFault::Name)?;
        let groups = check_groups(groups)?;
        check_password(name, password)?;
        let salt = new_salt().ok_or(UserFault::Machine)?;
        let hash = Hash::make(password.expose(), salt).ok_or(UserFault::Machine)?;
        self.insert(User { name: name.into(), groups, hash, old: None, disabled: false })
    }

    /// Gives a user another password. With `keep_old_until` (milliseconds since 1970) the present one is good until
    /// then, so that programs can be moved over one by one; without, it is gone at once.
    pub fn set_password(
        &mut self,
        name: &str,
        password: &Secret,
        keep_old_until: Option<u64>,
    ) -> Result<(), UserFault> {
        check_password(name, password)?;
        let user = self.get_mut(name)?;
        let salt = match keep_old_until {
            Some(_) => *user.hash.salt(),
            None => new_salt().ok_or(UserFault::Machine)?,
        };
        let hash = Hash::make(password.expose(), salt).ok_or(UserFault::Machine)?;
        let before = std::mem::replace(&mut user.hash, hash);
        user.old = keep_old_until.map(|until_ms| OldHash { hash: before, until_ms });
        Ok(())
    }

    /// Gives a user other groups.
    pub fn set_groups(&mut self, name: &str, groups: &[&str]) -> Result<(), UserFault> {
        let groups = check_groups(groups)?;
        self.get_mut(name)?.groups = groups;
        Ok(())
    }

    /// Locks a user out, or lets them in again.
    pub fn set_disabled(&mut self, name: &str, disabled: bool) -> Result<(), UserFault> {
        self.get_mut(name)?.disabled = disabled;
        Ok(())
    }

    /// Removes a user.
    pub fn remove(&mut self, name: &str) -> Result<(), UserFault> {
        self.get_mut(name)?;
        self.list.retain(|user| *user.name != *name);
        Ok(())
    }

    /// Adds one whose parts are judged already.
    pub(crate) fn insert(&mut self, user: User) -> Result<(), UserFault> {
        if self.get(&user.name).is_some() {
            return Err(UserFault::Exists(user.name.to_string()));
        }
        if self.list.len() >= MOST_USERS {
            return Err(UserFault::TooMany);
        }
        self.list.push(user);
        Ok(())
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut User, UserFault> {
        let found = self.list.iter_mut().find(|user| *user.name == *name);
        found.ok_or_else(|| UserFault::Unknown(name.chars().filter(|c| !c.is_control()).take(100).collect()))
    }
}

/// Judges a user's groups; one that stands twice is taken once.
pub(crate) fn check_groups(groups: &[&str]) -> Result<Vec<Arc<str>>, UserFault> {
    let mut taken: Vec<Arc<str>> = Vec::new();
    for group in groups {
        check_name(group)
            .map_err(|fault| UserFault::Group(group.escape_default().take(100).collect(), fault))?;
        if !taken.iter().any(|one| **one == **group) {
            taken.push((*group).into());
        }
    }
    if taken.len() > MOST_GROUPS {
        return Err(UserFault::TooManyGroups);
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
