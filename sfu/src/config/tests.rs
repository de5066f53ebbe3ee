use super::*;

fn variables(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn error(text: &str) -> String {
    parse(Some(("weir.toml", text)), &HashMap::new()).unwrap_err().to_string()
}

#[test]
fn nothing_set_serves_this_machine() {
    let config = parse(None, &HashMap::new()).unwrap();
    assert_eq!(config, Config::default());
    assert!(config.http.listen[0].ip().is_loopback());
}

#[test]
fn the_file_sets_and_the_environment_beats_it() {
    let text = r#"
        name = "Ada's"
        data_dir = "/srv/weir"
        trusted_proxies = ["10.1.2.3/8", "2001:db8::7"]
        [http]
        listen = ["0.0.0.0:80", "[::]:80"]
        public_url = "https://TV.example/"
        [media]
        listen = "0.0.0.0:9000"
        public_ip = "203.0.113.7"
        shards = 4
        tcp = false
        [ladder]
        enabled = false
        max_cpu = 1.5
        rungs = ["360p", "180p"]
        [log]
        format = "json"
    "#;
    let config = parse(Some(("weir.toml", text)), &HashMap::new()).unwrap();
    assert_eq!(config.name, "Ada's");
    assert_eq!(config.http.listen.len(), 2);
    assert_eq!(config.http.public_url.as_deref(), Some("https://tv.example"));
    assert_eq!((config.media.shards, config.media.tcp), (Some(4), false));
    let proxies: Vec<String> = config.http.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "2001:db8::7/128"]);
    assert_eq!(config.media.public_ip, ["203.0.113.7".parse::<IpAddr>().unwrap()]);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!((config.ladder.enabled, config.ladder.max_rungs), (false, 3));
    assert_eq!((config.ladder.max_cpu, config.ladder.rungs.len()), (Some(150), 2));
    let env = variables(&[
        ("WEIR_HTTP_LISTEN", "127.0.0.1:1, 127.0.0.1:2"),
        ("WEIR_MEDIA_SHARDS", "1"),
        ("WEIR_DATA_DIR", "/tmp/x"),
        ("PATH", "/bin"),
    ]);
    let config = parse(Some(("weir.toml", text)), &env).unwrap();
    assert_eq!(config.http.listen[1].port(), 2);
    assert_eq!((config.media.shards, config.data_dir), (Some(1), PathBuf::from("/tmp/x")));
}

#[test]
fn a_wrong_value_says_where_what_and_what_instead() {
    assert_eq!(
        error("\n[http]\nlisten = \"localhost\"\n"),
        "weir.toml, line 3: http.listen is \"localhost\", but must be one or more TCP addresses like 127.0.0.1:8080 or [::]:8080"
    );
    assert_eq!(
        error("[media]\nshards = 0"),
        "weir.toml, line 2: media.shards is 0, but must be a number of threads from 1 to 64"
    );
    let env = variables(&[("WEIR_MEDIA_PUBLIC_IP", "203.0.113.7,home")]);
    assert_eq!(
        parse(None, &env).unwrap_err().to_string(),
        "the environment variable WEIR_MEDIA_PUBLIC_IP: media.public_ip is \"203.0.113.7,home\", but must be IP addresses that viewers can reach, like 203.0.113.7"
    );
    for (name, bad) in [
        ("WEIR_HTTP_LISTEN", ""),
        ("WEIR_HTTP_PUBLIC_URL", "https://a/b"),
        ("WEIR_TRUSTED_PROXIES", "proxy.example"),
        ("WEIR_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("WEIR_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("WEIR_TRUSTED_PROXIES", "10.0.0.1,::/0"),
        ("WEIR_OUTGOING_ALLOW", "0.0.0.0/0"),
        ("WEIR_OUTGOING_ALLOW", "example.com"),
        ("WEIR_AUDIT_ADDRESS_DAYS", "366"),
        ("WEIR_AUDIT_ADDRESS_DAYS", "-1"),
        ("WEIR_MEDIA_LISTEN", "0.0.0.0"),
        ("WEIR_MEDIA_SHARDS", "many"),
        ("WEIR_MEDIA_TCP", "perhaps"),
        ("WEIR_DRAIN_SECONDS", "21"),
        ("WEIR_LADDER_ENABLED", "perhaps"),
        ("WEIR_LADDER_MAX_RUNGS", "0"),
        ("WEIR_LADDER_MAX_RUNGS", "4"),
        ("WEIR_LADDER_MAX_CPU", "0"),
        ("WEIR_LADDER_MAX_CPU", "-1"),
        ("WEIR_LADDER_MAX_CPU", "NaN"),
        ("WEIR_LADDER_MAX_CPU", "inf"),
        ("WEIR_LADDER_RUNGS", ""),
        ("WEIR_LADDER_RUNGS", "360p,480p"),
        ("WEIR_MEDIA_PUBLIC_IP", "0.0.0.0"),
        ("WEIR_DATA_DIR", ""),
        ("WEIR_DATABASE_URL", "mysql://x"),
        ("WEIR_GEOIP_DATABASE", ""),
        ("WEIR_LOG", "sfu=loud"),
        ("WEIR_LOG_FORMAT", "xml"),
        ("WEIR_NAME", " "),
    ] {
        assert!(parse(None, &variables(&[(name, bad)])).is_err(), "{name}={bad}");
    }
}

#[test]
fn an_unknown_key_is_an_error_with_its_line() {
    assert!(
        error("[http]\nport = 80")
            .starts_with("weir.toml, line 2: there is no setting http.port; there are name, ")
    );
    assert!(error("http = 1").contains("there is no setting http"));
    assert!(error("[htpp]\nlisten = \"x\"").contains("line 1"));
}

#[test]
fn broken_toml_has_its_line() {
    let message = error("name = \"a\"\nlisten = = 1");
    assert!(message.starts_with("weir.toml, line 2: this is not TOML"), "{message}");
}

#[test]
fn a_password_in_a_url_is_not_repeated() {
    let env = variables(&[("WEIR_DATABASE_URL", "mysql://weir:hunter2@db/weir")]);
    assert!(!parse(None, &env).unwrap_err().to_string().contains("hunter2"));
}
