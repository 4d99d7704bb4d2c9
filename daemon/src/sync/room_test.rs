//! What made-up names may cost: nothing.

use chrono::TimeDelta;
use garminsync_garmin::{Domain, Garmin, Settings};
use garminsync_store::{Keys, Vault};

use super::*;
use crate::account::Setting;
use crate::board::Board;

#[tokio::test]
async fn made_up_names_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(&dir.path().join("state"), &Keys::file(dir.path().join("state/key"))).unwrap().vault;
    let store = Store::open(&dir.path().join("data"), &projections()).unwrap();
    let store = OnThread::start("records", store).unwrap();
    let setting = Setting {
        vault: OnThread::start("vault", vault).unwrap(),
        records: store.clone(),
        board: Board::new([]),
        garmin: Box::new(|_| Garmin::new(Settings::of(Domain::Com))),
        key_file: Box::new(|_| None),
        mfa_timeout: TimeDelta::minutes(30),
        unattended: Default::default(),
        events: tokio::sync::mpsc::unbounded_channel().0,
    };
    let accounts = Accounts::start(setting, ["eva".to_owned()]).await.unwrap();
    let syncs = Syncs::new(Rules::default(), store, accounts, Arc::new(|_, _| {}));
    for name in ["nobody", "eva"] {
        let (account, trigger) = (name.into(), Trigger::Manual);
        let request = Request { account, trigger, since: None, until: None, datasets: Vec::new(), missing: false };
        assert!(syncs.start(request).await.is_err());
        assert!(syncs.cancel(name).is_none());
    }
    assert!(lock(&syncs.0.slots).is_empty());
}
