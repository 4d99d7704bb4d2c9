//! Who may use the control socket: the daemon's own user, root, and the members of one group. The kernel says who is calling, the
//! system's user database who is a member. It must not read a byte of what the caller sends.

use interprocess::local_socket::PeerCreds;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    #[cfg(unix)]
    own: u32,
    #[cfg(unix)]
    group: Option<u32>,
}

/// `[control] group` names no group of this system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this system has no group {0:?}")]
pub struct UnknownGroup(pub String);

#[cfg(unix)]
impl Permission {
    /// This process's user, root, and the members of `group`.
    ///
    /// # Errors
    /// [`UnknownGroup`].
    pub fn of(group: Option<&str>) -> Result<Self, UnknownGroup> {
        use nix::unistd::{Group, geteuid};
        let group = match group {
            None => None,
            Some(name) => match Group::from_name(name) {
                Ok(Some(group)) => Some(group.gid.as_raw()),
                _ => return Err(UnknownGroup(name.into())),
            },
        };
        Ok(Self { own: geteuid().as_raw(), group })
    }

    /// The group's number.
    pub(super) fn group(self) -> Option<u32> {
        self.group
    }

    pub(super) async fn allows(self, caller: PeerCreds) -> bool {
        let Some(user) = caller.euid() else { return false };
        if user == self.own || user == 0 {
            return true;
        }
        let Some(group) = self.group else {
            tracing::warn!(user, "a caller of another user was turned away");
            return false;
        };
        if caller.egid() == Some(group) || caller.groups().is_some_and(|groups| groups.contains(&group)) {
            return true;
        }
        // The user database may be on the network.
        let member = tokio::task::spawn_blocking(move || is_member(user, group)).await.unwrap_or(false);
        if !member {
            tracing::warn!(user, "a caller who is not in the group was turned away");
        }
        member
    }
}

#[cfg(all(unix, not(target_vendor = "apple")))]
fn is_member(user: u32, group: u32) -> bool {
    use nix::unistd::{Uid, User, getgrouplist};
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(user)) else { return false };
    let Ok(name) = std::ffi::CString::new(user.name) else { return false };
    getgrouplist(&name, user.gid).is_ok_and(|groups| groups.iter().any(|member_of| member_of.as_raw() == group))
}

/// Apple's kernel already told the caller's groups.
#[cfg(target_vendor = "apple")]
fn is_member(_: u32, _: u32) -> bool {
    false
}

#[cfg(windows)]
impl Permission {
    /// On Windows the pipe's security descriptor decides; there is no group to name.
    ///
    /// # Errors
    /// [`UnknownGroup`] when one is named.
    pub fn of(group: Option<&str>) -> Result<Self, UnknownGroup> {
        group.map_or(Ok(Self {}), |name| Err(UnknownGroup(name.into())))
    }

    pub(super) async fn allows(self, _: PeerCreds) -> bool {
        true
    }
}
