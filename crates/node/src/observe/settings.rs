//! What the configuration says about being looked at.

use std::net::SocketAddr;

use serde::Deserialize;

/// Who may look at the node, and where traces go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Observe {
    /// Lets `doors.metrics_listen` be an address that other machines reach; refused in production, where a scraper or
    /// prober on the same machine brings the numbers out.
    pub beyond_loopback: bool,
    /// Where traces of calls go: `http://HOST:PORT` of an OpenTelemetry collector's gRPC door on this machine. Needs a
    /// node built with the feature `otel`.
    pub otlp_endpoint: Option<String>,
}

impl Observe {
    /// Checks it beside the address of the operator's listener.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn check(&self, listen: Option<SocketAddr>, production: bool) -> Result<(), String> {
        if production && self.beyond_loopback {
            return Err("production: observe.beyond_loopback is set".to_owned());
        }
        match listen {
            Some(address) if !address.ip().is_loopback() && !self.beyond_loopback => {
                return Err(format!(
                    "doors.metrics_listen: {address} is no loopback address; outside production observe.beyond_loopback allows it"
                ));
            }
            _ => {}
        }
        self.check_endpoint()
    }

    fn check_endpoint(&self) -> Result<(), String> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(());
        };
        if !cfg!(feature = "otel") {
            return Err(
                "observe.otlp_endpoint: this program is built without the feature otel".to_owned(),
            );
        }
        let uri: hyper::Uri = endpoint
            .parse()
            .map_err(|_| format!("observe.otlp_endpoint: {endpoint} is no URI"))?;
        let host = uri.host().unwrap_or_default();
        let address: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_near = address.is_some_and(|a| a.is_loopback()) || host == "localhost";
        // Spans go without TLS; the collector beside the node is the one that speaks to others.
        if uri.scheme_str() != Some("http") || uri.port().is_none() || !is_near {
            return Err(format!(
                "observe.otlp_endpoint: {endpoint} is not http://HOST:PORT of this machine"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, beyond_loopback: bool, production: bool) -> Result<(), String> {
        let observe = Observe {
            beyond_loopback,
            otlp_endpoint: None,
        };
        observe.check(Some(listen.parse().unwrap()), production)
    }

    #[test]
    fn numbers_leave_the_machine_only_where_passes_do_not_count_and_somebody_said_so() {
        for near in ["127.0.0.1:9440", "[::1]:9440"] {
            check(near, false, true).unwrap();
            check(near, true, true).unwrap_err();
        }
        for far in ["0.0.0.0:9440", "[::]:9440", "192.0.2.1:9440"] {
            check(far, false, false).unwrap_err();
            check(far, true, true).unwrap_err();
            check(far, true, false).unwrap();
        }
        assert!(Observe::default().check(None, true).is_ok());
    }

    #[test]
    fn traces_stay_on_the_machine_and_need_a_program_that_can_send_them() {
        let check = |endpoint: &str| {
            let observe = Observe {
                beyond_loopback: false,
                otlp_endpoint: Some(endpoint.to_owned()),
            };
            observe.check(None, false)
        };
        for far in [
            "https://127.0.0.1:4317",
            "http://collector.example:4317",
            "http://127.0.0.1",
            "127.0.0.1:4317",
            "",
        ] {
            assert!(check(far).is_err(), "{far}");
        }
        for near in [
            "http://127.0.0.1:4317",
            "http://[::1]:4317",
            "http://localhost:4317",
        ] {
            assert_eq!(check(near).is_ok(), cfg!(feature = "otel"), "{near}");
        }
    }
}
