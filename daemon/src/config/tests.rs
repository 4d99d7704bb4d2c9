//! The configuration file: what is right, and every way of being wrong by file, line and key.

use chrono::NaiveDate;

use super::*;
use crate::args::Args;
use crate::judge;
use crate::places::Origin;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn nothing_written_means_the_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.sync.schedule.as_str(), "*/30 * * * *");
    assert_eq!(config.tokens.refresh.as_str(), "*/10 * * * *");
    assert_eq!((config.mfa.timeout_minutes, config.sync.intraday, config.sync.originals), (30, true, true));
}

#[test]
fn everything_can_be_written() {
    let config = parse(
        r#"
        [garmin]
        domain = "garmin.cn"
        client_ids = ["A", "B"]
        [garmin.endpoints]
        sso = "http://127.0.0.1:8899/sso/"
        personal = "https://gateway.example/personal"
        sign_in_pause_s = 0
        [sync]
        schedule = ""
        start = "2019-01-01"
        intraday = false
        originals = false
        [tokens]
        refresh = "5 4 * * 1"
        [mfa]
        timeout_minutes = 60
        [control]
        socket = "/run/x.sock"
        group = "garminsync"
        [vault]
        key = "credential"
        [accounts.eva]
        domain = "garmin.com"
        start = "auto"
        email = "eva@example.org"
        password_command = ["pass", "show", "garmin"]
        mfa_command = ["/usr/bin/oathtool", "--totp"]
        [accounts."a.b-c_d"]
        [datasets]
        nutrition = true
        "#,
    )
    .unwrap();
    assert_eq!(config.garmin.domain, Domain::Cn);
    assert_eq!(config.garmin.client_ids.as_deref(), Some(&["A".to_owned(), "B".into()][..]));
    assert_eq!(config.garmin.endpoints.sso.as_ref().map(BaseUrl::as_str), Some("http://127.0.0.1:8899/sso"));
    assert_eq!(config.garmin.endpoints.sign_in_pause_s(), Some(0.0));
    assert_eq!(config.sync.schedule.as_str(), "");
    assert_eq!(config.sync.start, Start::Day(NaiveDate::from_ymd_opt(2019, 1, 1).unwrap()));
    assert_eq!(config.control.group.as_deref(), Some("garminsync"));
    assert_eq!(config.vault.key, KeyWish::Credential);
    let names: Vec<_> = config.accounts.keys().map(AccountName::as_str).collect();
    assert_eq!(names, ["a.b-c_d", "eva"]);
    assert_eq!(config.datasets, BTreeMap::from([("nutrition".into(), true)]));
}

/// Each mistake with the words it gets. `…` stands for words of a library.
#[test]
fn every_mistake_is_told_with_its_line() {
    let mistakes = [
        (
            "\n[sync]\nshedule = \"\"",
            "c.toml:3: unknown key \"shedule\" in [sync]; known: schedule, start, intraday, originals, daily_requests",
        ),
        ("[sync]\n\n[retain]\nsamples = \"5y\"", "c.toml:3: unknown key \"retain\" at the top; known: garmin, …"),
        (
            "[sync]\ndaily_requests = -1",
            "c.toml:2: daily_requests = -1: a number of requests, or 0 for no limit (in [sync])",
        ),
        ("[retention]\nfiles = \"5y\"", "c.toml:2: unknown key \"files\" in [retention]; known: samples, originals"),
        (
            "[retention]\nsamples = \"5 years\"",
            "c.toml:2: samples: \"5 years\" is neither \"forever\" nor a span like \"5y\", \"18m\" or \"400d\" (in [retention])",
        ),
        ("[retention]\n\noriginals = \"1m\"", "c.toml:3: originals: \"1m\": 90 days to 100 years make sense…"),
        ("[retention]\nsamples = 5", "c.toml:2: samples: invalid type: integer, expected a string (in [retention])"),
        ("[[hooks]]\non = []", "c.toml:1: unknown key \"hooks\" at the top; known: garmin, …"),
        ("verbose = true", "c.toml:1: unknown key \"verbose\" at the top; known: garmin, …"),
        (
            "[garmin]\n[garmin.endpoint]\nsso = \"x\"",
            "c.toml:2: unknown key \"endpoint\" in [garmin]; known: domain, …",
        ),
        ("[mfa]\ntimeout = 3", "c.toml:2: unknown key \"timeout\" in [mfa]; known: timeout_minutes, command"),
        ("[accounts.eva]\nmail = \"e\"", "c.toml:2: unknown key \"mail\" in [accounts.eva]; known: domain, …"),
        (
            "[mfa]\ncommand = []",
            "c.toml:2: command: the list is empty; it names a program and its arguments (in [mfa])",
        ),
        (
            "[mfa]\ncommand = \"pass otp garmin\"",
            "c.toml:2: command: a program and its arguments are a list of words: command = [\"program\", \"argument\"] (in [mfa])",
        ),
        (
            "[accounts.eva]\nemail = \"e@x\"\npassword_command = 'sh -c \"cat x\"'",
            "c.toml:3: password_command: a program and its arguments are a list of words: password_command = [\"program\", \"argument\"] (in …",
        ),
        // What stands in the place of a program may be the secret itself.
        (
            "[accounts.eva]\nemail = \"e@x\"\npassword_command = \"hunter2\"",
            "c.toml:3: password_command: a program and its arguments are a list of words: password_command = [\"program\", \"argument\"] (in [accounts.eva])",
        ),
        (
            "[sync]\nintraday = true\n[accounts]\neva = { email = \"e@x\", password_command = 'hunter2' }",
            "c.toml:4: password_command: a program and its arguments are a list of words: password_command = [\"program\", \"argument\"] (in [accounts.eva])",
        ),
        (
            "accounts.eva.password_command = { hunter2 = \"hunter2\" }",
            "c.toml:1: password_command: a program and its arguments are a list of words: …",
        ),
        (
            "[accounts.eva]\nmfa_command = [\"pass\",\n  9876]",
            "c.toml:3: mfa_command: a program and its arguments are a list of words: …",
        ),
        (
            "accounts = { eva = { start = \"auto\", mail = \"e\" } }",
            "c.toml:1: unknown key \"mail\" in [accounts.eva]; known: …",
        ),
        ("[accounts.eva]\npassword_command = hunter2", "c.toml:2: …"),
        ("[accounts.eva]\npassword_command = \"hunter2\nemail = \"e@x\"", "c.toml:2: …"),
        ("[vault]\nkey = \"hunter2\"", "c.toml:2: key: it says where the key is: auto, …"),
        (
            "[accounts.ana]\napi_key_file = \"/k\"\napi_key_expires = \"soon\"",
            "c.toml:3: api_key_expires: \"soon\" is no date like \"2027-01-31\" (in [accounts.ana])",
        ),
        (
            "[accounts.ana]\n\napi_key_expires = \"2027-01-31\"",
            "c.toml:3: api_key_expires: it is of no use without api_key_file; …",
        ),
        ("[mfa]\ncommand = 9876", "c.toml:2: command: a program and its arguments are a list of words: …"),
        (
            "[accounts.ana]\napi_key_file = \"/k\"\n[accounts.eva]\n\napi_key_file = \"key\"",
            "c.toml:5: api_key_file: give the whole path, from / on (in [accounts.eva])",
        ),
        (
            "[accounts.eva]\nemail = \"eva@example.org\"",
            "c.toml:2: email is of no use without password_command (in [accounts.eva]); together they sign in unattended",
        ),
        (
            "[accounts.eva]\n\npassword_command = [\"pass\"]",
            "c.toml:3: password_command is of no use without email (in [accounts.eva]); together they …",
        ),
        (
            "[accounts.eva]\nmfa_command = [\"pass\"]",
            "c.toml:2: mfa_command is of no use without email and password_command (in [accounts.eva]); …",
        ),
        (
            "[accounts.eva]\nemail = \"eva\"\npassword_command = [\"pass\"]",
            "c.toml:2: email: \"eva\" is no address (in [accounts.eva])",
        ),
        (
            "[accounts.eva]\nemail = \"e@x\"\npassword_command = [\n]",
            "c.toml:3: password_command: the list is empty; it names …",
        ),
        (
            "[accounts.eva]\nemail = \"e@x\"\npassword_command = [\"pass\"]\nmfa_command = [\"./code\"]",
            "c.toml:4: mfa_command: \"./code\" is neither an absolute path nor a plain name that PATH finds (in [accounts.eva])",
        ),
        ("[sync]\nschedule = \"* * * *\"", "c.toml:2: schedule: \"* * * *\" has not the five fields of cron: …"),
        (
            "[sync]\nschedule = \"0 * * * * *\"",
            "c.toml:2: schedule: \"0 * * * * *\" has not the five fields of cron: …",
        ),
        ("[tokens]\nrefresh = \"61 * * * *\"", "c.toml:2: refresh: \"61 * * * *\" is no cron expression: …"),
        ("[sync]\nschedule = \"0 0 30 2 *\"", "c.toml:2: schedule: \"0 0 30 2 *\" names a time that never comes …"),
        ("[sync]\nstart = \"yesterday\"", "c.toml:2: start: \"yesterday\" is neither \"auto\" nor a date like …"),
        ("[sync]\nintraday = \"yes\"", "c.toml:2: intraday: invalid type: string, expected a boolean (in [sync])"),
        ("[mfa]\ntimeout_minutes = 0", "c.toml:2: timeout_minutes: 1 to 60 minutes make sense …"),
        ("[mfa]\ntimeout_minutes = 61", "c.toml:2: timeout_minutes: 1 to 60 minutes make sense …"),
        ("[mfa]\ntimeout_minutes = -1", "c.toml:2: timeout_minutes: 1 to 60 minutes make sense (in [mfa])"),
        ("[garmin]\ndomain = \"garmin.org\"", "c.toml:2: domain: unknown variant `garmin.org`…"),
        (
            "[garmin.endpoints]\nsso = \"http://example.com\"",
            "c.toml:2: sso: plain http is for loopback addresses only…",
        ),
        ("[garmin.endpoints]\nsso = \"https://u:hunter2@example.com\"", "c.toml:2: sso: a base address has no user…"),
        (
            "[garmin.endpoints]\nsign_in_pause_s = 1",
            "c.toml:2: sign_in_pause_s is for an sso endpoint on a loopback address only",
        ),
        (
            "[garmin.endpoints]\nsso = \"https://example.com\"\nsign_in_pause_s = 1",
            "c.toml:3: sign_in_pause_s is for an sso endpoint on a loopback address only",
        ),
        (
            "[garmin.endpoints]\nsso = \"http://[::1]:1\"\nsign_in_pause_s = -1",
            "c.toml:3: sign_in_pause_s: 0 to 60 seconds make sense",
        ),
        (
            "[garmin.endpoints]\nconnectapi = \"http://[::1]:1\"\nrequest_gap_s = 0",
            "c.toml:3: request_gap_s is for connectapi and personal endpoints on a loopback address only",
        ),
        ("[accounts.\"../eva\"]\n", "c.toml:1: \"../eva\": an account's name is 1 to 64 letters…"),
        ("[control]\ngroup = \"\"", "c.toml:2: group: it is empty; leave it out instead (in [control])"),
        ("[sync]\nstart = \"auto\"\nstart = \"auto\"", "c.toml:3: duplicate key…"),
        ("[vault]\nkey = \"safe\"", "c.toml:2: key: it says where the key is: auto, credential, keyring or file; …"),
        ("[sync\n", "c.toml:1: …"),
    ];
    for (text, expected) in mistakes {
        let said = parse(text).expect_err(text);
        let expected = expected.split('…').next().unwrap_or_default().trim_end();
        assert!(said.starts_with(expected), "{text}\n  said     {said}\n  expected {expected}");
        assert!(!said.contains('\n') && !said.contains("hunter2") && !said.contains("9876"), "{said}");
    }
}

#[test]
fn a_named_file_must_be_there_and_a_usual_one_may_be() {
    let path = PathBuf::from("/nonexistent/config.toml");
    let usual = Place { path: path.clone(), from: Origin::Default };
    assert_eq!(Config::load(&usual).unwrap(), Config::default());
    let named = Place { path, from: Origin::Flag("--config") };
    let error = Config::load(&named).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/config.toml: "), "{error}");
}

#[test]
fn what_is_printed_can_be_read_again() {
    let config = parse("[garmin.endpoints]\nsso = \"http://127.0.0.1:1\"\nsign_in_pause_s = 0.5\n[accounts.eva]\nstart = \"2020-02-29\"").unwrap();
    let args = Args { state_dir: Some("/s".into()), socket: Some("/s/x.sock".into()), ..Args::default() };
    let places = Places::settle(&args, &config, &|_| None).unwrap();
    let file = Place { path: "/nonexistent/config.toml".into(), from: Origin::Default };
    let printed = config.print(&file, &places, "file /s/vault.key");
    assert!(printed.starts_with("# configuration  /nonexistent/config.toml (default, no such file)\n"), "{printed}");
    assert!(printed.contains("# state          /s (--state-dir)\n"), "{printed}");
    assert!(printed.contains("# vault's key    file /s/vault.key\n"), "{printed}");
    let again = parse(&printed).unwrap();
    assert_eq!(again.control.socket, Some("/s/x.sock".into()));
    assert_eq!((again.accounts, again.sync), (config.accounts, config.sync));
    assert_eq!(again.garmin.endpoints.sign_in_pause_s(), Some(0.5));
}

#[test]
fn account_names_stay_plain() {
    for good in ["default", "a", "9lives", "eva.work_2-x", &"x".repeat(64)] {
        assert!(valid_account_name(good), "{good}");
    }
    for bad in ["", ".", "..", "-x", "_x", "a/b", "a b", "ä", "a\n", "a\0", &"x".repeat(65)] {
        assert!(!valid_account_name(bad), "{bad:?}");
    }
}

/// What the rooms find is told with the place of the value, wherever the text has its table.
#[test]
fn what_the_rooms_find_has_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = Place { path: dir.path().join("c.toml"), from: Origin::Flag("--config") };
    for (text, place, says) in [
        ("[control]\ngroup = \"nobodys-own\"", 2, "group: this system has no group \"nobodys-own\" (in [control])"),
        ("control.group = 'nobodys-own'", 1, "group: this system has no group"),
        (
            "[datasets]\n\n# a comment\nsteeps = true",
            4,
            "steeps: there is no dataset or group of that name; there are the groups",
        ),
        ("datasets = { sleep = true, steeps = true }", 1, "steeps: there is no dataset"),
        ("[sync]\nstart = \"1900-01-01\"", 2, "start: \"1900-01-01\" is before"),
        (
            "[accounts.ana]\nstart = \"2020-01-01\"\n[accounts.\"e.va\"]\nstart = \"1900-01-01\"",
            4,
            "start: \"1900-01-01\" is before",
        ),
    ] {
        fs::write(&file.path, text).unwrap();
        let said = judge::check(&file, &Config::load(&file).unwrap()).expect_err(text);
        assert!(said.starts_with(&format!("{}:{place}: {says}", file.path.display())), "{said}");
    }
}
